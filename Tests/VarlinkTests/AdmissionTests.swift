import Glibc
import Synchronization
import Testing
import Varlink

@Suite("What all connections may cost", .timeLimit(.minutes(2))) struct AdmissionTests {
    private let next = #"{"parameters":{"text":"next"}}"#
    private let echo = message("Echo", #"{"text":"next"}"#)

    /// Serves with these limits, and collects the limits that were reached.
    private func serve(
        _ limits: ServerLimits,
        _ body: (TestService, String, Server, Admission, Recorder<LimitReached>) async throws -> Void
    ) async throws {
        let reached = Recorder<LimitReached>()
        let admission = Admission(limits) { reached.record($0) }
        try await withService(admission: admission) { service, path, server in
            try await body(service, path, server, admission, reached)
        }
    }

    /// The end of a connection, whatever came before.
    private func isClosed(_ peer: RawPeer) async throws {
        while try await peer.reply() != nil {}
    }

    private func half(_ bytes: Int) -> [UInt8] { Array(repeating: 120, count: bytes) }

    @Test("One connection too many is closed at once, and the others don't notice")
    func connections() async throws {
        try await serve(.init(maximumConnections: 2)) { _, path, server, _, reached in
            let first = try RawPeer(path)
            let second = try RawPeer(path)
            #expect(try await first.ask(echo) == next)
            #expect(try await second.ask(echo) == next)
            #expect(try await RawPeer(path).reply() == nil)
            #expect(reached.values.map(\.limit) == [.connections])
            #expect(try await first.ask(echo) == next)
            second.close()
            try await eventually { server.connectionCount == 1 }
            #expect(try await RawPeer(path).ask(echo) == next)
        }
    }

    @Test("A user's connection too many is closed at once, and the entry says whose")
    func connectionsOfOne() async throws {
        try await serve(.init(maximumConnectionsPerUser: 1)) { _, path, server, _, reached in
            let first = try RawPeer(path)
            #expect(try await first.ask(echo) == next)
            #expect(try await RawPeer(path).reply() == nil)
            #expect(reached.values.map(\.limit) == [.connectionsPerUser])
            #expect(reached.values.map(\.peer.uid) == [getuid()])
            #expect(try await first.ask(echo) == next)
        }
    }

    @Test("Many more connections than there may be are all closed, and descriptors are left")
    func flood() async throws {
        try await serve(.init(maximumConnections: 4)) { _, path, server, _, reached in
            let peers = try (0..<500).map { _ in try RawPeer(path) }
            try await eventually { reached.values.count == 496 }
            try await eventually { server.connectionCount == 4 }
            for peer in peers { peer.close() }
            try await eventually { server.connectionCount == 0 }
            #expect(try await RawPeer(path).ask(echo) == next)
        }
    }

    @Test("New limits hold for whoever comes then")
    func reconfigured() async throws {
        try await serve(.init(maximumConnections: 1)) { _, path, _, admission, _ in
            let first = try RawPeer(path)
            #expect(try await first.ask(echo) == next)
            #expect(try await RawPeer(path).reply() == nil)
            admission.reconfigure(.init(maximumConnections: 2))
            #expect(try await RawPeer(path).ask(echo) == next)
        }
    }

    @Test("Half a call that stays half a call is closed, however many bytes trickle in")
    func trickle() async throws {
        let limits = ServerLimits(connection: .init(partialCallTimeout: .milliseconds(300)))
        try await serve(limits) { _, path, server, _, reached in
            let peer = try RawPeer(path)
            let other = try RawPeer(path)
            #expect(try await other.ask(echo) == next)
            try await eventually {
                _ = peer.sendWhatFits([120])
                return !reached.values.isEmpty
            }
            try await isClosed(peer)
            #expect(reached.values.map(\.limit) == [.partialCall])
            #expect(try await other.ask(echo) == next, "it is idle, which it may be")
        }
    }

    @Test("Half a call behind one that is under way is closed as well")
    func trickleBehind() async throws {
        let limits = ServerLimits(connection: .init(partialCallTimeout: .milliseconds(300)))
        try await serve(limits) { _, path, _, _, reached in
            let peer = try RawPeer(path)
            try await peer.call(message("Hold", #"{"name":"slow"}"#))
            try await peer.send(half(100))
            try await isClosed(peer)
            #expect(reached.values.map(\.limit) == [.partialCall])
        }
    }

    @Test("The rest of a call that isn't read because of others isn't missed")
    func notRead() async throws {
        let limits = ServerLimits(
            connection: .init(maximumCallsInFlight: 1, partialCallTimeout: .milliseconds(300)))
        try await serve(limits) { service, path, _, _, reached in
            let peer = try RawPeer(path)
            let half = try RawPeer(path)
            try await peer.send(Array(message("Hold", #"{"name":"slow"}"#).utf8) + [0] + Array(echo.utf8))
            await service.started.wait(for: 1)
            // The time that another one is given passes for this one, too.
            try await half.send(self.half(10))
            try await isClosed(half)
            service.gate.open()
            try await peer.send([0])
            #expect(try await peer.reply() == #"{"parameters":{"name":"slow"}}"#)
            #expect(try await peer.reply() == next)
            #expect(reached.values.count == 1)
        }
    }

    @Test("A connection without a call is closed, and one with a call under way is not")
    func idle() async throws {
        let limits = ServerLimits(connection: .init(idleTimeout: .milliseconds(300)))
        try await serve(limits) { service, path, server, _, reached in
            let busy = try RawPeer(path)
            try await busy.call(message("Hold", #"{"name":"long"}"#))
            let silent = try RawPeer(path)
            let answered = try RawPeer(path)
            #expect(try await answered.ask(echo) == next)
            try await isClosed(silent)
            try await isClosed(answered)
            #expect(reached.values.map(\.limit) == [.idle, .idle])
            try await eventually { server.connectionCount == 1 }
            service.gate.open()
            #expect(try await busy.reply() == #"{"parameters":{"name":"long"}}"#)
            try await isClosed(busy)
        }
    }

    @Test("A peer that doesn't read its replies is closed")
    func unread() async throws {
        let limits = ServerLimits(connection: .init(idleTimeout: .milliseconds(500)))
        try await serve(limits) { service, path, server, _, reached in
            let peer = try RawPeer(path)
            try await peer.call(message("Big", #"{"bytes":2000000}"#))
            try await eventually { server.connectionCount == 0 && !reached.values.isEmpty }
            #expect(reached.values.map(\.limit) == [.unreadReplies])
            // Only now, as a reader is what it must not be.
            try await isClosed(peer)
        }
    }

    @Test("Who holds most in half a call is closed when all hold too much")
    func halves() async throws {
        try await serve(.init(maximumBytesInFlight: 4 << 20)) { _, path, server, admission, reached in
            let small = try RawPeer(path)
            try await small.send(half(100))
            var peers: [RawPeer] = []
            while reached.values.isEmpty {
                try #require(peers.count < 20)
                let peer = try RawPeer(path)
                // It may be the one that is closed.
                try? await peer.send(half(1_000_000))
                peers.append(peer)
                let count = peers.count
                try await eventually { admission.bytesInFlight >= count << 20 || !reached.values.isEmpty }
            }
            #expect(peers.count == 5, "four fit")
            #expect(Set(reached.values.map(\.limit)) == [.bytesInFlight])
            try await eventually { admission.bytesInFlight <= 4 << 20 }
            #expect(try await RawPeer(path).ask(echo) == next)
            #expect(small.sendWhatFits([120]) == 1, "it holds too little to be chosen")
            for peer in peers { peer.close() }
            small.close()
            try await eventually { server.connectionCount == 0 }
            #expect(admission.bytesInFlight == 0)
        }
    }

    @Test("Replies that nobody reads count, and are given back with their connection")
    func unreadBytes() async throws {
        try await serve(.init(maximumBytesInFlight: 4 << 20)) { _, path, server, admission, reached in
            let peers = try (0..<4).map { _ in try RawPeer(path) }
            // The first is in the kernel's buffer in part; the second closes the window.
            for peer in peers {
                for _ in 0..<4 { try? await peer.call(message("Big", #"{"bytes":900000}"#)) }
            }
            try await eventually { !reached.values.isEmpty }
            #expect(Set(reached.values.map(\.limit)) == [.bytesInFlight])
            try await eventually { server.connectionCount < 4 && admission.bytesInFlight <= 4 << 20 }
            for peer in peers { peer.close() }
            try await eventually { server.connectionCount == 0 }
            #expect(admission.bytesInFlight == 0)
        }
    }

    @Test("While much is held fewer calls of a connection are under way, and all are answered in the end")
    func pressure() async throws {
        try await serve(.init(maximumBytesInFlight: 2 << 20)) { service, path, _, admission, reached in
            let holder = try RawPeer(path)
            try await holder.send(half(1_040_000))
            try await eventually { admission.bytesInFlight >= 1 << 20 }
            let holder2 = try RawPeer(path)
            try await holder2.send(half(20_000))
            try await eventually { admission.bytesInFlight > 1 << 20 }
            let peer = try RawPeer(path)
            for number in 0..<8 { try await peer.call(message("Hold", #"{"name":"\#(number)"}"#)) }
            await service.started.wait(for: 2)
            for _ in 0..<8 { #expect(try await RawPeer(path).ask(echo) == next) }
            #expect(service.started.values.filter { $0 != "next" } == ["0", "1"])
            // The others let go, of which this connection isn't told.
            holder.close()
            holder2.close()
            await service.started.wait(for: 8 + 8)
            #expect(service.started.values.filter { $0 != "next" } == (0..<8).map { "\($0)" })
            service.gate.open()
            for number in 0..<8 {
                #expect(try await peer.reply() == #"{"parameters":{"name":"\#(number)"}}"#)
            }
            #expect(reached.values.isEmpty)
        }
    }
}
