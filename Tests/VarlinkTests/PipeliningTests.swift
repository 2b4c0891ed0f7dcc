import Testing
import Varlink

@Suite("Many calls on one connection", .timeLimit(.minutes(2))) struct PipeliningTests {
    @Test("A call that comes one byte at a time is answered")
    func oneByteAtATime() async throws {
        try await withService { _, path, _ in
            let peer = try RawPeer(path)
            for byte in Array(message("Echo", #"{"text":"slow"}"#).utf8) + [0] {
                try await peer.send([byte])
            }
            #expect(try await peer.reply() == #"{"parameters":{"text":"slow"}}"#)
        }
    }

    @Test("Two calls in one write are both answered, in order")
    func twoInOneWrite() async throws {
        try await withService { _, path, _ in
            let peer = try RawPeer(path)
            let first = message("Echo", #"{"text":"1"}"#)
            try await peer.send(Array("\(first)\0\(message("Fail"))\0".utf8))
            #expect(try await peer.reply() == #"{"parameters":{"text":"1"}}"#)
            #expect(try await peer.reply()?.contains("org.example.test.Failed") == true)
        }
    }

    @Test("Calls behind a slow one run at once and are answered after it")
    func order() async throws {
        try await withService { service, path, _ in
            let peer = try RawPeer(path)
            try await peer.call(message("Hold", #"{"name":"slow"}"#))
            for number in 0..<50 {
                try await peer.call(message("Echo", #"{"text":"\#(number)"}"#))
            }
            await service.started.wait(for: 51)
            service.gate.open()
            #expect(try await peer.reply() == #"{"parameters":{"name":"slow"}}"#)
            for number in 0..<50 {
                #expect(try await peer.reply() == #"{"parameters":{"text":"\#(number)"}}"#)
            }
        }
    }

    @Test("Handlers begin in the order of the calls")
    func startOrder() async throws {
        try await withService { service, path, _ in
            let peer = try RawPeer(path)
            let calls = (0..<200).map { message("Echo", #"{"text":"\#($0)"}"#) + "\0" }
            try await peer.send(Array(calls.joined().utf8))
            for _ in 0..<200 { _ = try await peer.reply() }
            #expect(service.started.values == (0..<200).map { "\($0)" })
        }
    }

    @Test("More calls in one write than may be in flight are all answered, in order")
    func manyInOneWrite() async throws {
        try await withService { service, path, _ in
            let peer = try RawPeer(path)
            let calls = (0..<20_000).map { message("Echo", #"{"text":"\#($0)"}"#) + "\0" }
            async let sent: Void = peer.send(Array(calls.joined().utf8))
            for number in 0..<20_000 {
                #expect(try await peer.reply() == #"{"parameters":{"text":"\#(number)"}}"#)
            }
            try await sent
        }
    }

    @Test("More oneway calls in one write than may be in flight run, and the call after them is answered")
    func manyOneway() async throws {
        try await withService(limits: .init(maximumCallsInFlight: 4)) { service, path, _ in
            let peer = try RawPeer(path)
            let quiet = (0..<100).map { message("Echo", #"{"text":"\#($0)"}"#, #","oneway":true"#) + "\0" }
            let slow = (0..<100).map { message("Hold", #"{"name":"\#($0)"}"#, #","oneway":true"#) + "\0" }
            let loud = message("Echo", #"{"text":"loud"}"#) + "\0"
            try await peer.send(Array(((quiet + slow).joined() + loud).utf8))
            // The first of the slow ones fill the window.
            await service.started.wait(for: 104)
            service.gate.open()
            #expect(try await peer.reply() == #"{"parameters":{"text":"loud"}}"#)
            #expect(service.started.values.count == 201)
        }
    }

    @Test("A oneway call is run and gets no reply, whether it succeeds, fails or isn't known")
    func oneway() async throws {
        try await withService { service, path, _ in
            let peer = try RawPeer(path)
            try await peer.call(message("Echo", #"{"text":"quiet"}"#, #","oneway":true"#))
            for call in ["Fail", "Nothing", "Missing", "MustStream", "Nested"] {
                try await peer.call(message(call, "{}", #","oneway":true"#))
            }
            #expect(
                try await peer.ask(message("Echo", #"{"text":"loud"}"#)) == #"{"parameters":{"text":"loud"}}"#
            )
            #expect(service.started.values == ["quiet", "loud"])
        }
    }

    @Test("A oneway call whose peer leaves at once is run to its end")
    func onewayAndGone() async throws {
        try await withService { service, path, server in
            let peer = try RawPeer(path)
            try await peer.call(message("Hold", #"{"name":"left"}"#, #","oneway":true"#))
            peer.close()
            await service.started.wait(for: 1)
            service.gate.open()
            await service.ended.wait(for: 1)
            #expect(service.cancelled.values.isEmpty)
            try await eventually { server.connectionCount == 0 }
        }
    }

    @Test("With more, each reply but the last is marked continues")
    func streaming() async throws {
        try await withService { service, path, _ in
            let peer = try RawPeer(path)
            try await peer.call(message("Count", #"{"to":3}"#, #","more":true"#))
            #expect(try await peer.reply() == #"{"parameters":{"value":1},"continues":true}"#)
            #expect(try await peer.reply() == #"{"parameters":{"value":2},"continues":true}"#)
            #expect(try await peer.reply() == #"{"parameters":{"value":3}}"#)
            #expect(service.sent.values == [true, true])
            #expect(
                try await peer.ask(message("MustStream", "{}", #","more":true"#))
                    == #"{"parameters":{"value":1}}"#)
        }
    }

    @Test("Without more, a streaming method gives its last reply alone")
    func notStreaming() async throws {
        try await withService { service, path, _ in
            let peer = try RawPeer(path)
            #expect(try await peer.ask(message("Count", #"{"to":3}"#)) == #"{"parameters":{"value":3}}"#)
            #expect(service.sent.values == [true, true])
        }
    }

    @Test("A stream waits for its turn: nothing of it comes before the replies to earlier calls")
    func streamBehindSlowCall() async throws {
        try await withService { service, path, _ in
            let peer = try RawPeer(path)
            try await peer.call(message("Hold", #"{"name":"slow"}"#))
            try await peer.call(message("Count", #"{"to":3}"#, #","more":true"#))
            try await peer.call(message("Echo", #"{"text":"last"}"#))
            await service.started.wait(for: 3)
            #expect(service.sent.values.isEmpty)
            service.gate.open()
            #expect(try await peer.reply() == #"{"parameters":{"name":"slow"}}"#)
            for value in 1...2 {
                #expect(try await peer.reply() == #"{"parameters":{"value":\#(value)},"continues":true}"#)
            }
            #expect(try await peer.reply() == #"{"parameters":{"value":3}}"#)
            #expect(try await peer.reply() == #"{"parameters":{"text":"last"}}"#)
        }
    }

    @Test("A stream whose peer is gone is told so")
    func streamAndGone() async throws {
        try await withService { service, path, server in
            let peer = try RawPeer(path)
            try await peer.call(message("Count", #"{"to":100000000}"#, #","more":true"#))
            _ = try await peer.reply()
            peer.close()
            try await eventually { server.connectionCount == 0 }
            #expect(service.sent.values.last == false)
        }
    }
}
