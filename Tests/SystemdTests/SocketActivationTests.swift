import Glibc
import Testing

@testable import Systemd

@Suite struct SocketMatching {
    private let worker = [
        (name: "io.acms.Queue", configuredPath: "/srv/queue"),
        (name: "io.acms.Caretaker", configuredPath: "/srv/caretaker"),
    ]

    private func socket(_ descriptor: Int32, name: String? = nil, path: String? = nil) -> PassedSocket {
        PassedSocket(fileDescriptor: descriptor, name: name, path: path)
    }

    @Test func `one socket and one interface belong together whatever they are called`() throws {
        let only = socket(3, name: "something.socket", path: "/tmp/anything")
        let matched = try SocketActivation.match(interfaces: [worker[0]], sockets: [only])
        #expect(matched == ["io.acms.Queue": only])
    }

    @Test func `a socket's name decides before its path`() throws {
        let first = socket(3, name: "io.acms.Caretaker", path: "/srv/queue")
        let second = socket(4, name: "io.acms.Queue", path: "/srv/caretaker")
        let matched = try SocketActivation.match(interfaces: worker, sockets: [first, second])
        #expect(matched == ["io.acms.Caretaker": first, "io.acms.Queue": second])
    }

    @Test func `a socket without a known name belongs to the interface configured at its path`() throws {
        let queue = socket(3, name: "acms-worker.socket", path: "/srv/queue")
        let caretaker = socket(4, path: "/srv/caretaker")
        let matched = try SocketActivation.match(interfaces: worker, sockets: [caretaker, queue])
        #expect(matched == ["io.acms.Queue": queue, "io.acms.Caretaker": caretaker])
    }

    @Test func `a socket elsewhere belongs to the interface that its path's last component names`() throws {
        let queue = socket(3, path: "/elsewhere/io.acms.Queue")
        let matched = try SocketActivation.match(interfaces: worker, sockets: [queue])
        #expect(matched == ["io.acms.Queue": queue])
    }

    @Test func `a socket that belongs to no interface is an error that names it`() {
        let stray = socket(5, name: "stray", path: "/elsewhere/stray")
        let error = #expect(throws: SocketActivationError.self) {
            try SocketActivation.match(interfaces: worker, sockets: [stray])
        }
        #expect(error?.code == .unmatched)
        #expect(error?.description.contains("5 named \"stray\" at /elsewhere/stray") == true)
    }

    @Test func `two sockets for one interface are an error`() {
        let error = #expect(throws: SocketActivationError.self) {
            try SocketActivation.match(
                interfaces: worker,
                sockets: [socket(3, name: "io.acms.Queue"), socket(4, path: "/srv/queue")])
        }
        #expect(error?.code == .claimedTwice(interface: "io.acms.Queue"))
        #expect(error?.socket?.fileDescriptor == 4)
    }

    @Test func `no sockets match nothing`() throws {
        #expect(try SocketActivation.match(interfaces: worker, sockets: []).isEmpty)
    }
}

/// Each runs in a process of its own, since descriptors and environment are the process's.
@Suite struct SocketTaking {
    @Test func `nothing is taken where nothing was passed`() async {
        await #expect(processExitsWith: .success) {
            unsetenv("LISTEN_FDS")
            let sockets = try SocketActivation.take()
            #expect(sockets.isEmpty)
        }
    }

    @Test func `listening sockets are taken with name and path, and the environment is cleared`() async {
        await #expect(processExitsWith: .success) {
            let passed = try PassedDescriptor(type: SOCK_STREAM, listening: true)
            setenv("LISTEN_FDNAMES", "io.acms.Queue", 1)
            let result = Result { try SocketActivation.take() }
            let flags = fcntl(3, F_GETFD)
            passed.restore()
            let sockets = try result.get()
            #expect(
                sockets == [PassedSocket(fileDescriptor: 3, name: "io.acms.Queue", path: passed.path)])
            #expect(flags & FD_CLOEXEC != 0)
            #expect(getenv("LISTEN_FDS") == nil)
            #expect(getenv("LISTEN_FDNAMES") == nil)
        }
    }

    @Test func `a socket that nobody named has no name`() async {
        await #expect(processExitsWith: .success) {
            let passed = try PassedDescriptor(type: SOCK_STREAM, listening: true)
            let result = Result { try SocketActivation.take() }
            passed.restore()
            let sockets = try result.get()
            #expect(sockets.map(\.name) == [nil])
        }
    }

    @Test(arguments: [true, false])
    func `a socket of another kind is refused`(isStream: Bool) async {
        await #expect(processExitsWith: .success) { [isStream] in
            let passed = try PassedDescriptor(type: isStream ? SOCK_STREAM : SOCK_DGRAM, listening: false)
            let result = Result { try SocketActivation.take() }
            passed.restore()
            let error = #expect(throws: SocketActivationError.self) { try result.get() }
            #expect(error?.code == .notAListeningSocket)
        }
    }
}

/// Puts a socket where a service manager would, at descriptor 3, and remembers what was there.
private struct PassedDescriptor {
    let path: String
    private let saved: Int32

    init(type: __socket_type, listening: Bool) throws {
        var template = Array("/tmp/acms-systemd-XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        path = directory + "/socket"
        let descriptor = socket(AF_UNIX, Int32(type.rawValue), 0)
        try #require(SocketAddress.with(path: path) { bind(descriptor, $0, $1) } == 0)
        if listening { try #require(listen(descriptor, 1) == 0) }
        setenv("LISTEN_PID", String(getpid()), 1)
        setenv("LISTEN_FDS", "1", 1)
        saved = fcntl(3, F_DUPFD_CLOEXEC, 10)
        if descriptor != 3 { dup2(descriptor, 3) }
    }

    /// The testing library may own descriptor 3 and report through it.
    func restore() {
        if saved >= 0 { dup2(saved, 3) } else { close(3) }
        unlink(path)
        rmdir(String(path.dropLast("/socket".count)))
    }
}
