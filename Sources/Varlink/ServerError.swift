internal import Glibc

/// Why a server can't start, or why it ended by itself.
public enum ServerError: Error, Sendable, Hashable {
    /// A system call on the socket failed; `path` is nil for an inherited one.
    case socket(operation: String, path: String?, errno: Int32)
    /// Somebody else listens at `path`.
    case inUse(path: String)
    /// `path` exists and is no socket.
    case notASocket(path: String)
    /// The path doesn't fit a socket address; `limit` is in bytes.
    case pathTooLong(path: String, limit: Int)
    /// The inherited descriptor is no listening Unix stream socket.
    case notListening(fileDescriptor: Int32)
    /// The listening socket closed by itself; the log tells why.
    case listenerClosed
    /// `run()` was called a second time.
    case alreadyRun
}

extension ServerError: CustomStringConvertible {
    /// A full sentence.
    public var description: String {
        switch self {
        case .socket(let operation, let path, let errno):
            "\(operation) of the socket \(path ?? "that was passed in") failed: \(String(cString: strerror(errno)))."
        case .inUse(let path):
            "Another process listens at \(path)."
        case .notASocket(let path):
            "\(path) exists and is not a socket."
        case .pathTooLong(let path, let limit):
            "The socket path \(path) is longer than \(limit) bytes."
        case .notListening(let fileDescriptor):
            "The file descriptor \(fileDescriptor) is not a listening Unix stream socket."
        case .listenerClosed:
            "The listening socket closed by itself."
        case .alreadyRun:
            "The server was already run; it can be run once."
        }
    }
}
