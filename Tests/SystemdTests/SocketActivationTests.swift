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

/// The passing itself needs a process that starts with the sockets at descriptor 3; the daemons' own tests
/// start one under systemd-socket-activate.
@Suite struct SocketTaking {
    @Test func `nothing is taken where nothing was passed`() async {
        await #expect(processExitsWith: .success) {
            unsetenv("LISTEN_FDS")
            let sockets = try SocketActivation.take()
            #expect(sockets.isEmpty)
        }
    }

    @Test func `a malformed environment is an error, not a start without sockets`() async {
        await #expect(processExitsWith: .success) {
            setenv("LISTEN_PID", String(getpid()), 1)
            setenv("LISTEN_FDS", "many", 1)
            let error = #expect(throws: SocketActivationError.self) { try SocketActivation.take() }
            #expect(error?.code == .invalidEnvironment)
            #expect(getenv("LISTEN_FDS") == nil)
        }
    }

    @Test(arguments: ["io.acms.Queue": "io.acms.Queue", "unknown": nil, "": nil])
    func `a listening socket is taken with its name and path`(given: String, name: String?) throws {
        let bound = try BoundSocket(type: SOCK_STREAM, listening: true)
        let socket = try SocketActivation.inspect(bound.descriptor, name: given)
        #expect(socket == PassedSocket(fileDescriptor: bound.descriptor, name: name, path: bound.path))
    }

    @Test(arguments: [SOCK_STREAM, SOCK_DGRAM].map(\.rawValue))
    func `a socket that doesn't listen for streams is refused`(type: UInt32) throws {
        let bound = try BoundSocket(type: __socket_type(type), listening: false)
        let error = #expect(throws: SocketActivationError.self) {
            try SocketActivation.inspect(bound.descriptor, name: "io.acms.Queue")
        }
        #expect(error?.code == .notAListeningSocket)
        #expect(error?.description.contains("named \"io.acms.Queue\" at \(bound.path)") == true)
    }
}

/// A socket at a path of its own.
private final class BoundSocket {
    let path: String
    let descriptor: Int32

    init(type: __socket_type, listening: Bool) throws {
        var template = Array("/tmp/acms-systemd-XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        path = directory + "/socket"
        descriptor = socket(AF_UNIX, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let descriptor = descriptor
        try #require(SocketAddress.with(path: path) { bind(descriptor, $0, $1) } == 0)
        if listening { try #require(listen(descriptor, 1) == 0) }
    }

    deinit {
        close(descriptor)
        unlink(path)
        rmdir(String(path.dropLast("/socket".count)))
    }
}
