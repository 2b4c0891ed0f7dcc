import CSystemd
import Glibc

/// Socket passing, sd_listen_fds(3): taking the listening sockets and telling which is which.
public enum SocketActivation {
    /// Takes the sockets that the service manager (or systemd-socket-activate) passed to this process; empty
    /// when it passed none.
    ///
    /// Call it once, early and from one thread: it removes `LISTEN_*` from the environment, so that no child
    /// takes them for its own. The sockets are closed on exec.
    ///
    /// - Throws: when the environment is malformed, or when a descriptor is anything but a listening stream
    ///   socket of the Unix family.
    public static func take() throws(SocketActivationError) -> [PassedSocket] {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(1, &names)
        guard count >= 0 else { throw SocketActivationError(code: .invalidEnvironment, errno: -count) }
        defer { free(names) }

        // All names are copied and freed before any check can throw.
        let passed = (0..<Int(count)).map { (SD_LISTEN_FDS_START + Int32($0), takeName(names?[$0])) }
        var sockets: [PassedSocket] = []
        for (descriptor, name) in passed { sockets.append(try inspect(descriptor, name: name)) }
        return sockets
    }

    /// The socket at a descriptor, if it is one that can be served.
    static func inspect(_ descriptor: Int32, name: String?) throws(SocketActivationError) -> PassedSocket {
        // libsystemd's word for a socket that nobody named.
        let name = name == "unknown" || name == "" ? nil : name
        let socket = PassedSocket(
            fileDescriptor: descriptor, name: name, path: SocketAddress.boundPath(of: descriptor))
        let result = sd_is_socket_unix(descriptor, Int32(SOCK_STREAM.rawValue), 1, nil, 0)
        guard result > 0 else {
            throw SocketActivationError(
                code: .notAListeningSocket, errno: result < 0 ? -result : nil, socket: socket)
        }
        return socket
    }

    private static func takeName(_ name: UnsafeMutablePointer<CChar>?) -> String? {
        guard let name else { return nil }
        defer { free(name) }
        return String(cString: name)
    }
}
