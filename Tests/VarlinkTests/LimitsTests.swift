import Synchronization
import Testing
import Varlink

@Suite("What a connection may cost", .timeLimit(.minutes(2))) struct LimitsTests {
    private let next = #"{"parameters":{"text":"next"}}"#

    private func isServed(_ path: String) async throws -> Bool {
        try await RawPeer(path).ask(message("Echo", #"{"text":"next"}"#)) == next
    }

    /// An Echo of `bytes` bytes in all.
    private func call(bytes: Int) -> String {
        let frame = message("Echo", #"{"text":""}"#)
        let text = String(repeating: "x", count: bytes - frame.utf8.count)
        return message("Echo", #"{"text":"\#(text)"}"#)
    }

    @Test("A call of exactly 1 MiB is accepted")
    func exactlyTheLimit() async throws {
        try await withService { _, path, _ in
            let peer = try RawPeer(path)
            let call = call(bytes: 1_048_576)
            #expect(call.utf8.count == 1_048_576)
            #expect(try await peer.ask(call)?.utf8.count ?? 0 > 1_000_000)
        }
    }

    @Test(
        "A longer call is refused with a reply and the end of the connection",
        arguments: [1_048_577, 2 * 1_048_576, 12 * 1_048_576])
    func overTheLimit(bytes: Int) async throws {
        try await withService { _, path, server in
            let peer = try RawPeer(path)
            try await peer.call(message("Echo", #"{"text":"before"}"#))
            try await peer.call(call(bytes: bytes))
            #expect(try await peer.reply() == #"{"parameters":{"text":"before"}}"#)
            let refusal = try await peer.reply() ?? ""
            #expect(refusal.contains("org.varlink.service.InvalidParameter"))
            #expect(refusal.contains("longer than 1048576 bytes"))
            #expect(try await peer.reply() == nil)
            #expect(try await isServed(path))
            peer.close()
            try await eventually { server.connectionCount == 0 }
        }
    }

    @Test("A peer that goes silent after a refused call is closed in bounded time")
    func silentAfterRefusal() async throws {
        try await withService { _, path, server in
            let peer = try RawPeer(path)
            try await peer.call("garbage")
            #expect(try await peer.reply() != nil)
            #expect(try await peer.reply() == nil)
            // The peer stays; the server lets go of it all the same.
            try await eventually { server.connectionCount == 0 }
            #expect(peer.sendWhatFits([0]) == -1)
        }
    }

    @Test("Replies to earlier calls go out before a refused call ends the connection")
    func refusedBehindSlowCall() async throws {
        try await withService { service, path, _ in
            let peer = try RawPeer(path)
            try await peer.call(message("Hold", #"{"name":"slow"}"#))
            try await peer.call("garbage")
            try await peer.call(message("Echo", #"{"text":"never"}"#))
            await service.started.wait(for: 1)
            service.gate.open()
            #expect(try await peer.reply() == #"{"parameters":{"name":"slow"}}"#)
            #expect(try await peer.reply()?.contains("InvalidParameter") == true)
            #expect(try await peer.reply() == nil)
            #expect(service.started.values == ["slow"])
        }
    }

    @Test("Half a call and silence hold nobody else up")
    func halfACall() async throws {
        try await withService { _, path, server in
            let peer = try RawPeer(path)
            try await peer.send(Array(#"{"method":"org.exam"#.utf8))
            #expect(try await isServed(path))
            try await eventually { server.connectionCount == 1 }
            try await peer.send(Array(#"ple.test.Echo","parameters":{"text":"next"}}"#.utf8) + [0])
            #expect(try await peer.reply() == next)
        }
    }

    @Test("No more calls are started than may be in flight; the next one starts when one is answered")
    func window() async throws {
        try await withService(limits: .init(maximumCallsInFlight: 4)) { service, path, _ in
            let peer = try RawPeer(path)
            for number in 0..<20 { try await peer.call(message("Hold", #"{"name":"\#(number)"}"#)) }
            await service.started.wait(for: 4)
            // Calls of a second connection pass through the same event loops; the first stays where it is.
            for _ in 0..<8 { #expect(try await isServed(path)) }
            #expect(service.started.values.filter { $0 != "next" } == ["0", "1", "2", "3"])
            service.gate.open()
            for number in 0..<20 {
                #expect(try await peer.reply() == #"{"parameters":{"name":"\#(number)"}}"#)
            }
        }
    }

    @Test("A peer that never reads stops being read")
    func neverReads() async throws {
        try await withService { service, path, server in
            let peer = try RawPeer(path)
            let call = Array(message("Big", #"{"bytes":100000}"#).utf8) + [0]
            // The kernel refuses more once both socket buffers are full, which is only so when the server
            // doesn't read any more.
            var count = 0
            var refusals = 0
            while refusals < 100 {
                if peer.sendWhatFits(call) == call.count {
                    count += 1
                    refusals = 0
                    try #require(count < 1_000_000)
                } else {
                    refusals += 1
                    #expect(try await isServed(path))
                }
            }
            // At most a window of calls, each with its reply; the rest waits in the kernel.
            #expect(service.started.values.filter { $0 == "big" }.count <= 256 + 16)
            peer.close()
            try await eventually { server.connectionCount == 0 }
        }
    }

    @Test("A thousand idle connections cost a thousand-and-first nothing")
    func idle() async throws {
        try await withService { _, path, server in
            let peers = try (0..<1000).map { _ in try RawPeer(path) }
            #expect(try await isServed(path))
            try await eventually { server.connectionCount == 1000 }
            #expect(try await peers[500].ask(message("Echo", #"{"text":"next"}"#)) == next)
        }
    }
}
