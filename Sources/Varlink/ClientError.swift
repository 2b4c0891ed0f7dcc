internal import Glibc

/// Why a call got no reply, or not the one it wanted.
public enum ClientError: Error, Sendable, Hashable {
    /// Nobody can be reached at `path`; `errno` is that of `connect`.
    case unreachable(path: String, errno: Int32)
    /// The connection ended before the reply came: whether the call took effect isn't known.
    case disconnected(path: String)
    /// The service replied with an error.
    case remote(RemoteError)
    /// The reply can't be read; the text says why.
    case invalidReply(String)
    /// The reply is longer than `limit` bytes; the connection is given up.
    case frameTooLong(limit: Int)
    /// The parameters can't be encoded as JSON; nothing was sent.
    case unencodable(String)
    /// The calling task was cancelled; whether the call takes effect isn't known.
    case cancelled
}

extension ClientError: CustomStringConvertible {
    /// A full sentence.
    public var description: String {
        switch self {
        case .unreachable(let path, let errno):
            "Nothing can be reached at \(path): \(String(cString: strerror(errno)))."
        case .disconnected(let path):
            "The connection to \(path) ended before the reply came."
        case .remote(let error):
            error.description
        case .invalidReply(let reason):
            "The reply can't be read: \(reason)."
        case .frameTooLong(let limit):
            "The reply is longer than \(limit) bytes."
        case .unencodable(let reason):
            "The parameters can't be encoded: \(reason)."
        case .cancelled:
            "The call was cancelled."
        }
    }
}
