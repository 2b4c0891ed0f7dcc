import Synchronization
import Testing
import Varlink

@Suite("Ends of connections and servers", .timeLimit(.minutes(2))) struct LifecycleTests {
    @Test("When the peer closes, its handlers are cancelled")
    func closeCancels() async throws {
        try await withService { service, path, server in
            let peer = try RawPeer(path)
            try await peer.call(message("Hold", #"{"name":"1"}"#))
            try await peer.call(message("Hold", #"{"name":"2"}"#))
            await service.started.wait(for: 2)
            peer.close()
            await service.cancelled.wait(for: 2)
            try await eventually { server.connectionCount == 0 }
        }
    }

    @Test("When the peer closes while its window is full, its handlers are cancelled too")
    func closeWithFullWindow() async throws {
        try await withService(limits: .init(maximumCallsInFlight: 2)) { service, path, server in
            let peer = try RawPeer(path)
            for number in 0..<100 { try await peer.call(message("Hold", #"{"name":"\#(number)"}"#)) }
            await service.started.wait(for: 2)
            peer.close()
            await service.cancelled.wait(for: 2)
            try await eventually { server.connectionCount == 0 }
            #expect(service.started.values.count == 2)
        }
    }

    @Test("A handler may ignore its cancellation")
    func stubborn() async throws {
        try await withService { service, path, server in
            let peer = try RawPeer(path)
            try await peer.call(message("Stubborn", #"{"name":"1"}"#))
            await service.started.wait(for: 1)
            peer.close()
            #expect(
                try await RawPeer(path).ask(message("Echo", #"{"text":"x"}"#))
                    == #"{"parameters":{"text":"x"}}"#)
            service.gate.open()
            await service.ended.wait(for: 1)
            try await eventually { server.connectionCount == 0 }
        }
    }

    @Test("A peer that has closed its writing side still gets its replies, then the end")
    func halfClose() async throws {
        try await withService { service, path, server in
            let peer = try RawPeer(path)
            try await peer.call(message("Hold", #"{"name":"slow"}"#))
            try await peer.call(message("Echo", #"{"text":"x"}"#))
            peer.shutdownWriting()
            await service.started.wait(for: 2)
            service.gate.open()
            #expect(try await peer.reply() == #"{"parameters":{"name":"slow"}}"#)
            #expect(try await peer.reply() == #"{"parameters":{"text":"x"}}"#)
            #expect(try await peer.reply() == nil)
            try await eventually { server.connectionCount == 0 }
            #expect(service.cancelled.values.isEmpty)
        }
    }

    @Test("A peer that closes both sides after its writing side has its handlers cancelled")
    func halfCloseThenClose() async throws {
        try await withService { service, path, server in
            let peer = try RawPeer(path)
            try await peer.call(message("Hold", #"{"name":"1"}"#))
            peer.shutdownWriting()
            await service.started.wait(for: 1)
            peer.close()
            await service.cancelled.wait(for: 1)
            try await eventually { server.connectionCount == 0 }
        }
    }

    @Test("Shutting down answers what is in flight, closes what is idle, and accepts nobody")
    func shutDown() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/socket"
            let service = TestService()
            let server = Server(
                listener: .inherited(fileDescriptor: try makeListeningSocket(path)), info: TestService.info,
                interfaces: [try service.interface()], logger: TestService.quiet)
            async let run: Void = server.run()
            let busy = try RawPeer(path)
            let idle = try RawPeer(path)
            #expect(try await idle.ask(message("Echo", #"{"text":"x"}"#)) != nil)
            try await busy.call(message("Hold", #"{"name":"slow"}"#))
            await service.started.wait(for: 2)
            server.shutDown()
            server.shutDown()
            #expect(try await idle.reply() == nil)
            service.gate.open()
            #expect(try await busy.reply() == #"{"parameters":{"name":"slow"}}"#)
            #expect(try await busy.reply() == nil)
            try await run
            #expect(server.connectionCount == 0)
            #expect(throws: RawPeer.Failure.self) { try RawPeer(path) }
            await #expect(throws: ServerError.self) { try await server.run() }
        }
    }

    @Test("A server that is shut down before it runs doesn't run")
    func shutDownFirst() async throws {
        let server = Server(
            listener: .path("/nonexistent/socket", mode: 0o600), info: TestService.info, interfaces: [],
            logger: TestService.quiet)
        server.shutDown()
        try await server.run()
    }

    @Test("A peer that doesn't read its replies holds the end of the server up for a bounded time")
    func shutDownWithStuckPeer() async throws {
        let stuck = Mutex<RawPeer?>(nil)
        try await withService(limits: .init(maximumCallsInFlight: 4)) { service, path, server in
            let peer = try RawPeer(path)
            stuck.withLock { $0 = peer }
            for _ in 0..<50 { try await peer.call(message("Big", #"{"bytes":100000}"#)) }
            // The first replies fill the kernel's buffers, the others the window: the reader waits for room.
            await service.started.wait(for: 4)
            server.shutDown()
            // withService waits for the end of run(), while the peer stays.
        }
        #expect(try await stuck.withLock { $0 }?.reply()?.contains("xxx") == true)
    }

    @Test("Cancelling the server's task closes connections and cancels handlers")
    func cancellation() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/socket"
            let service = TestService()
            let server = Server(
                listener: .inherited(fileDescriptor: try makeListeningSocket(path)), info: TestService.info,
                interfaces: [try service.interface()], logger: TestService.quiet)
            let run = Task { try await server.run() }
            let peers = try (0..<100).map { _ in try RawPeer(path) }
            try await peers[0].call(message("Hold", #"{"name":"1"}"#))
            await service.started.wait(for: 1)
            run.cancel()
            try await run.value
            #expect(service.cancelled.values == ["1"])
            #expect(try await peers[0].reply() == nil)
            #expect(try await peers[99].reply() == nil)
            #expect(server.connectionCount == 0)
        }
    }

    @Test("The count of connections is told at each change, the last one last")
    func count() async throws {
        let counts = Recorder<Int>()
        try await withService(onConnectionCountChange: { counts.record($0) }) { _, path, server in
            let peers = try (0..<10).map { _ in try RawPeer(path) }
            await counts.wait(for: 10)
            #expect(counts.values.max() == 10)
            for peer in peers { peer.close() }
            await counts.wait(for: 20)
            #expect(counts.values.last == 0)
            #expect(server.connectionCount == 0)
        }
    }
}
