import SystemPackage

/// Space on the spool's disk that is kept for the worker: a file that is given up when the disk is full, so that
/// what fails can still be deferred or set aside and an operator can still work the dead letters.
struct SpoolReserve: Sendable {
    /// Enough for a thousand letters, or for two of the longest lines.
    static let bytes = 4 << 20

    private let path: String
    private let directory: SpoolDirectory
    private let files: any FileSystem

    init(_ directory: SpoolDirectory, files: any FileSystem) {
        self.directory = directory
        self.files = files
        path = "\(directory.root)/reserve"
    }

    /// Makes the reserve if it is missing and the disk has room for twice as much. Nothing depends on it, so it
    /// does not fail.
    func keep() {
        do {
            guard try files.status(of: path) == nil, try files.freeBytes(in: directory.root) >= 2 * Self.bytes
            else { return }
            try files.allocate(path, bytes: Self.bytes)
        } catch {
            // Tried again at the next occasion.
        }
    }

    /// Gives the space up if that is what the error is about.
    ///
    /// - Returns: whether there may be room now.
    func release(after error: SpoolError) throws(SpoolError) -> Bool {
        guard error.meansFull, try files.status(of: path) != nil
        else { return false }
        try files.remove(path)
        return true
    }
}
