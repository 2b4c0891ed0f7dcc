import Glibc
import NIOPosix
import Synchronization

/// A client that knows nothing of Varlink: it writes bytes and reads up to a NUL.
final class RawPeer: Sendable {
    struct Failure: Error {
        let operation: String
        let errno: Int32
    }

    /// Blocking calls must not take the few threads of Swift's own pool.
    static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 32)
        threads.start()
        return threads
    }()

    private let descriptor: Int32
    private let unread = Mutex<[UInt8]>([])
    private let isClosed = Mutex(false)

    init(_ path: String) throws {
        descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        // A test that waits for what never comes fails instead of hanging.
        var timeout = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let result = withSocketAddress(path) { connect(descriptor, $0, $1) }
        guard result == 0 else { throw Failure(operation: "connect", errno: errno) }
    }

    deinit { close() }

    func close() {
        isClosed.withLock { isClosed in
            if !isClosed { Glibc.close(descriptor) }
            isClosed = true
        }
    }

    func shutdownWriting() { _ = Glibc.shutdown(descriptor, Int32(SHUT_WR)) }

    /// Sends `call` and its NUL.
    func call(_ call: String) async throws { try await send(Array(call.utf8) + [0]) }

    func send(_ bytes: [UInt8]) async throws {
        try await Self.threads.runIfActive { [descriptor] in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw Failure(operation: "send", errno: errno) }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Sends as much as the kernel takes without blocking.
    func sendWhatFits(_ bytes: [UInt8]) -> Int {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        return bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
    }

    /// The next reply without its NUL; nil at the end.
    func reply() async throws -> String? {
        try await Self.threads.runIfActive { [self] in
            try unread.withLock { unread in
                while true {
                    if let end = unread.firstIndex(of: 0) {
                        defer { unread.removeFirst(end + 1) }
                        return String(decoding: unread[..<end], as: UTF8.self)
                    }
                    var chunk = [UInt8](repeating: 0, count: 65_536)
                    let count = recv(descriptor, &chunk, chunk.count, 0)
                    if count == 0 || (count < 0 && errno == ECONNRESET) { return nil }
                    guard count > 0 else { throw Failure(operation: "recv", errno: errno) }
                    unread += chunk[..<count]
                }
            }
        }
    }

    /// Calls and returns the reply.
    func ask(_ call: String) async throws -> String? {
        try await self.call(call)
        return try await reply()
    }
}

func withSocketAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// A directory that is removed at the end of `body`.
func withTemporaryDirectory<R>(_ body: (String) async throws -> R) async throws -> R {
    var template = Array("/tmp/varlink-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw RawPeer.Failure(operation: "mkdtemp", errno: errno) }
    let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer {
        unlink("\(path)/socket")
        rmdir(path)
    }
    return try await body(path)
}

/// A listening socket as a service manager passes it in.
func makeListeningSocket(_ path: String) throws -> Int32 {
    let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard withSocketAddress(path, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 4096) == 0 else {
        throw RawPeer.Failure(operation: "listen", errno: errno)
    }
    return descriptor
}
