internal import Glibc
internal import NIOCore

/// Who is at the other end of a connection: the credentials that the kernel noted when it connected
/// (SO_PEERCRED, unix(7)).
public struct Peer: Sendable, Hashable {
    /// The user id.
    public let uid: UInt32
    /// The group id.
    public let gid: UInt32
    /// The process id; the process may have ended since, and the number may be in use again.
    public let pid: Int32

    /// Creates a peer, for tests.
    public init(uid: UInt32, gid: UInt32, pid: Int32) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
    }
}

extension Peer {
    /// Asks the kernel who is at the other end of `channel`. To be called on the channel's event loop.
    init(of channel: any Channel) throws {
        let peer = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) {
            descriptor throws -> Peer in
            // struct ucred: pid_t pid; uid_t uid; gid_t gid.
            var credentials: (pid: pid_t, uid: uid_t, gid: gid_t) = (0, 0, 0)
            var size = socklen_t(MemoryLayout.size(ofValue: credentials))
            guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else {
                throw IOError(errnoCode: errno, reason: "getsockopt(SO_PEERCRED)")
            }
            // NIO accepts without it, and a child process must not inherit the connection.
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            return Peer(uid: credentials.uid, gid: credentials.gid, pid: credentials.pid)
        }
        guard let peer else { throw IOError(errnoCode: ENOTSOCK, reason: "SO_PEERCRED") }
        self = peer
    }
}
