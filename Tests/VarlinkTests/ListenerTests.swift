import Glibc
import Testing
import Varlink

@Suite("Listening", .timeLimit(.minutes(2))) struct ListenerTests {
    private func server(_ listener: Server.Listener) -> Server {
        Server(listener: listener, info: TestService.info, interfaces: [], logger: TestService.quiet)
    }

    private let getInfo = #"{"method":"org.varlink.service.GetInfo"}"#

    private func isServed(_ path: String) async throws -> Bool {
        guard let peer = try? RawPeer(path) else { return false }
        return try await peer.ask(getInfo)?.contains("Example") == true
    }

    @Test("A socket made at a path has its mode and is removed at the end")
    func path() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/socket"
            let server = server(.path(path, mode: 0o620))
            async let run: Void = server.run()
            try await eventually { try await isServed(path) }
            var status = stat()
            #expect(lstat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o620)
            server.shutDown()
            try await run
            #expect(lstat(path, &status) == -1)
        }
    }

    @Test("A socket file that nobody listens on is replaced")
    func stale() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/socket"
            close(try makeListeningSocket(path))
            let server = server(.path(path, mode: 0o600))
            async let run: Void = server.run()
            try await eventually { try await isServed(path) }
            server.shutDown()
            try await run
        }
    }

    @Test("A socket that somebody listens on is left alone")
    func busy() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/socket"
            let descriptor = try makeListeningSocket(path)
            defer { close(descriptor) }
            await #expect(throws: ServerError.inUse(path: path)) {
                try await server(.path(path, mode: 0o600)).run()
            }
            _ = try RawPeer(path)
        }
    }

    @Test("A socket file that another server has made meanwhile isn't removed at the end")
    func replaced() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/socket"
            let server = server(.path(path, mode: 0o600))
            async let run: Void = server.run()
            try await eventually { try await isServed(path) }
            unlink(path)
            let descriptor = try makeListeningSocket(path)
            defer { close(descriptor) }
            server.shutDown()
            try await run
            _ = try RawPeer(path)
        }
    }

    @Test("What is no socket, or no place for one, is refused")
    func refused() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/socket"
            close(creat(path, 0o600))
            await #expect(throws: ServerError.notASocket(path: path)) {
                try await server(.path(path, mode: 0o600)).run()
            }
            let missing = "\(directory)/no/socket"
            await #expect(throws: ServerError.socket(operation: "bind", path: missing, errno: ENOENT)) {
                try await server(.path(missing, mode: 0o600)).run()
            }
            let long = "\(directory)/\(String(repeating: "x", count: 200))"
            await #expect(throws: ServerError.pathTooLong(path: long, limit: 107)) {
                try await server(.path(long, mode: 0o600)).run()
            }
            var status = stat()
            #expect(lstat(path, &status) == 0)
        }
    }

    @Test("An inherited descriptor that doesn't listen is refused")
    func notListening() async throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        await #expect(throws: ServerError.notListening(fileDescriptor: descriptor)) {
            try await server(.inherited(fileDescriptor: descriptor)).run()
        }
        await #expect(throws: ServerError.notListening(fileDescriptor: -1)) {
            try await server(.inherited(fileDescriptor: -1)).run()
        }
    }
}
