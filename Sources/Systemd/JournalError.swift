import Glibc

/// Why the journal can't be read.
public struct JournalError: Error, Hashable, Sendable {
    /// What was tried.
    public let operation: String
    /// Why it failed.
    public let errno: Int32

    /// - Parameter result: what libsystemd returned: an errno, negative.
    init(_ operation: String, _ result: Int32) {
        self.operation = operation
        errno = result == .min ? EIO : abs(result)
    }
}

extension JournalError: CustomStringConvertible {
    /// A full sentence.
    public var description: String { "Cannot \(operation): \(String(cString: strerror(errno)))." }
}
