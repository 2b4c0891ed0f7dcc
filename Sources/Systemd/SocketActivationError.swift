import Glibc

/// Why the sockets that the service manager handed over can't be used.
public struct SocketActivationError: Error, Sendable, Equatable {
    /// The kinds of failure.
    public enum Code: Sendable, Equatable {
        /// `LISTEN_PID`, `LISTEN_FDS` or `LISTEN_FDNAMES` can't be read, or the descriptors aren't open.
        case invalidEnvironment
        /// The descriptor is no listening stream socket of the Unix family.
        case notAListeningSocket
        /// The socket belongs to none of the interfaces.
        case unmatched
        /// Two sockets claim one interface.
        case claimedTwice(interface: String)
    }

    /// The kind of failure.
    public let code: Code

    /// The errno of the failed call, where a call failed.
    public let errno: Int32?

    /// The socket in question, where there is one.
    public let socket: PassedSocket?

    /// Describes a failure.
    public init(code: Code, errno: Int32? = nil, socket: PassedSocket? = nil) {
        self.code = code
        self.errno = errno
        self.socket = socket
    }
}

extension SocketActivationError: CustomStringConvertible {
    /// A full sentence.
    public var description: String {
        let reason = errno.map { ": \(String(cString: strerror($0)))" } ?? ""
        return switch code {
        case .invalidEnvironment:
            "The sockets passed by the service manager can't be taken\(reason)."
        case .notAListeningSocket:
            "\(subject) is not a listening Unix stream socket\(reason)."
        case .unmatched:
            "\(subject) belongs to no interface of this program; "
                + "set its FileDescriptorName= to the interface's name."
        case .claimedTwice(let interface):
            "\(subject) is a second socket for the interface \(interface)."
        }
    }

    private var subject: String {
        guard let socket else { return "A passed descriptor" }
        let name = socket.name.map { " named \"\($0)\"" } ?? ""
        let path = socket.path.map { " at \($0)" } ?? ""
        return "The passed descriptor \(socket.fileDescriptor)\(name)\(path)"
    }
}
