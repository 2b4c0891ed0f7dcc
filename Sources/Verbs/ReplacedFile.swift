import Glibc

/// A file that is replaced as a whole: whoever reads it meanwhile sees the old text or the new one.
struct ReplacedFile: Sendable {
    /// The file, behind the links that lead to it.
    private let path: String
    /// What is written, beside it.
    private let temporary: String
    private let descriptor: Int32

    /// - Parameter mode: who may read and write it; nil for what the umask leaves.
    init(_ path: String, mode: mode_t? = nil) throws(Failure) {
        self.path = Self.target(of: path)
        // Its name begins with a dot and has no suffix, so that no collector takes it for one of its files.
        let slash = self.path.lastIndex(of: "/").map(self.path.index(after:)) ?? self.path.startIndex
        var template = Array("\(self.path[..<slash]).\(self.path[slash...]).XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        temporary = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard descriptor >= 0 else { throw .fileFailed(path: path, errno: errno) }
        guard fchmod(descriptor, mode ?? Self.usualMode) == 0 else {
            let failure = errno
            abandon()
            throw .fileFailed(path: path, errno: failure)
        }
    }

    func write(_ bytes: [UInt8]) throws(Failure) {
        let failure = writeAll(bytes, to: descriptor)
        guard failure == 0 else { throw .fileFailed(path: path, errno: failure) }
    }

    /// Puts what was written in the file's place, durably.
    func finish() throws(Failure) {
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else {
            throw .fileFailed(path: path, errno: errno)
        }
        // The name too is only durable with its directory.
        let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw .fileFailed(path: parent, errno: errno) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw .fileFailed(path: parent, errno: errno) }
        close(descriptor)
    }

    /// Leaves everything as it was, after a failure.
    func abandon() {
        unlink(temporary)
        close(descriptor)
    }

    private static func target(of path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// What open(2) would give a new file.
    private static var usualMode: mode_t {
        let mask = umask(0)
        umask(mask)
        return 0o666 & ~mask
    }
}
