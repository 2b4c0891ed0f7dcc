import Glibc

/// A Unix datagram socket, connected for one send and then closed.
///
/// It is made afresh each time, which costs two system calls more and buys that no descriptor is held, that
/// a receiver that went away and came back is found again, and that earlier datagrams, unread yet, never
/// count against this socket's send buffer.
struct DatagramSocket: ~Copyable {
    private let descriptor: Int32

    /// What became of a datagram.
    enum Outcome: Equatable {
        case sent
        /// It is bigger than a datagram can be.
        case tooBig
        /// The receiver is absent, or full, or refuses; the errno.
        case failed(Int32)
    }

    /// Connects to the receiver at `path`; nil when there is none.
    init?(path: String) {
        descriptor = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let descriptor = descriptor
        guard SocketAddress.with(path: path, { connect(descriptor, $0, $1) }) == 0 else { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Sends one datagram without SIGPIPE. A full receiver is waited for `patience` seconds at most; with 0
    /// the call never blocks.
    func send(_ bytes: [UInt8], patience: Int = 0) -> Outcome {
        var flags = Int32(MSG_NOSIGNAL)
        if patience > 0 {
            var limit = timeval(tv_sec: patience, tv_usec: 0)
            setsockopt(
                descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        } else {
            flags |= Int32(MSG_DONTWAIT)
        }
        while true {
            if Glibc.send(descriptor, bytes, bytes.count, flags) >= 0 { return .sent }
            switch errno {
            case EINTR: continue
            case EMSGSIZE, ENOBUFS: return .tooBig
            case let code: return .failed(code)
            }
        }
    }

    /// Whether the receiver would take a datagram now.
    var isWritable: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&request, 1, 0) == 1 && request.revents & Int16(POLLOUT) != 0
    }
}
