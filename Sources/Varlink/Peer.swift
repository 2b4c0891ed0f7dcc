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
    /// The supplementary groups.
    public let groups: [UInt32]

    /// Creates a peer, for tests and from what was kept of one.
    public init(uid: UInt32, gid: UInt32, pid: Int32, groups: [UInt32] = []) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
        self.groups = groups
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
            return Peer(
                uid: credentials.uid, gid: credentials.gid, pid: credentials.pid,
                groups: Self.groups(of: descriptor))
        }
        guard let peer else { throw IOError(errnoCode: ENOTSOCK, reason: "SO_PEERCRED") }
        self = peer
    }

    /// The groups that the kernel noted (SO_PEERGROUPS, Linux 4.13 and later); none where it can't tell.
    private static func groups(of descriptor: CInt) -> [UInt32] {
        // asm-generic/socket.h; the C library's module does not export it.
        let peerGroups: CInt = 59
        var groups = [gid_t](repeating: 0, count: 32)
        while true {
            var size = socklen_t(groups.count * MemoryLayout<gid_t>.size)
            if getsockopt(descriptor, SOL_SOCKET, peerGroups, &groups, &size) == 0 {
                return Array(groups.prefix(Int(size) / MemoryLayout<gid_t>.size))
            }
            let needed = Int(size) / MemoryLayout<gid_t>.size
            guard errno == ERANGE, needed > groups.count else { return [] }
            groups = [gid_t](repeating: 0, count: needed)
        }
    }
}
