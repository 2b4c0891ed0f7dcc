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

        var sockets: [PassedSocket] = []
        for index in 0..<Int(count) {
            let descriptor = SD_LISTEN_FDS_START + Int32(index)
            sockets.append(
                PassedSocket(
                    fileDescriptor: descriptor, name: takeName(names?[index]),
                    path: SocketAddress.boundPath(of: descriptor)))
        }
        // Checked after all names are copied and freed, so that a throw leaks none.
        for socket in sockets {
            let result = sd_is_socket_unix(socket.fileDescriptor, Int32(SOCK_STREAM.rawValue), 1, nil, 0)
            guard result > 0 else {
                throw SocketActivationError(
                    code: .notAListeningSocket, errno: result < 0 ? -result : nil, socket: socket)
            }
        }
        return sockets
    }

    private static func takeName(_ name: UnsafeMutablePointer<CChar>?) -> String? {
        guard let name else { return nil }
        defer { free(name) }
        let text = String(cString: name)
        return text == "unknown" || text.isEmpty ? nil : text
    }
}
