import Glibc
import NIOPosix
import Testing
import Varlink

@Suite("The client", .timeLimit(.minutes(2))) struct ClientTests {
    typealias Text = TestService.Text

    private func name(_ method: String) -> String { "org.example.test.\(method)" }

    /// Accepts one connection, and sends it bytes of the test's choosing once it has sent something.
    private func withScript(_ replies: String, _ body: (String) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/socket"
            let listener = try makeListeningSocket(path)
            let bytes = Array(replies.utf8)
            async let served: Void = RawPeer.threads.runIfActive {
                let descriptor = accept(listener, nil, nil)
                var chunk = [UInt8](repeating: 0, count: 4096)
                _ = recv(descriptor, &chunk, chunk.count, 0)
                _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                close(descriptor)
                close(listener)
            }
            try await body(path)
            try await served
        }
    }

    @Test("A call returns the reply")
    func call() async throws {
        try await withService { _, path, _ in
            let reply: Text = try await Client.withConnection(to: path) { client in
                try await client.call(name("Echo"), Text(text: "hello"))
            }
            #expect(reply == Text(text: "hello"))
        }
    }

    @Test("Concurrent calls of one client are pipelined, and each gets its own reply")
    func pipelining() async throws {
        try await withService { service, path, _ in
            try await Client.withConnection(to: path) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        let held: TestService.Name = try await client.call(name("Hold"), ["name": "slow"])
                        #expect(held.name == "slow")
                    }
                    await service.started.wait(for: 1)
                    for number in 0..<100 {
                        group.addTask {
                            let text = Text(text: "\(number)")
                            let reply = try await client.call(name("Echo"), text, returning: Text.self)
                            #expect(reply == text)
                        }
                    }
                    // All of them run behind the one that is held, so they were sent without its reply.
                    await service.started.wait(for: 101)
                    service.gate.open()
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("An error reply is thrown with its name and parameters")
    func remoteError() async throws {
        try await withService { _, path, _ in
            try await Client.withConnection(to: path) { client in
                let error = await #expect(throws: ClientError.self) {
                    try await client.call(name("Fail"), NoParameters(), returning: NoParameters.self)
                }
                guard case .remote(let remote) = error else {
                    return #expect(Bool(false), "\(String(describing: error))")
                }
                #expect(remote.name == "org.example.test.Failed")
                #expect(remote.parameters == ["reason": "as asked"])
                #expect(remote.decode(TestService.Failed.self) == TestService.Failed(reason: "as asked"))
                #expect(remote.decode(ServiceError.ExpectedMore.self) == nil)
                #expect(remote.description.contains(#"org.example.test.Failed {"reason":"as asked"}"#))
                // The connection is still good.
                let after = try await client.call(name("Echo"), Text(text: "x"), returning: Text.self)
                #expect(after.text == "x")
            }
        }
    }

    @Test("A stream gives each reply, and the connection is good afterwards")
    func stream() async throws {
        try await withService { _, path, _ in
            try await Client.withConnection(to: path) { client in
                var values: [Int] = []
                let replies = client.stream(name("Count"), ["to": 1000], returning: TestService.Value.self)
                for try await reply in replies {
                    values.append(reply.value)
                }
                #expect(values == Array(1...1000))
                let reply = try await client.call(name("Echo"), Text(text: "x"), returning: Text.self)
                #expect(reply.text == "x")
            }
        }
    }

    @Test("A stream that is left early leaves the connection usable")
    func streamLeft() async throws {
        try await withService { _, path, _ in
            try await Client.withConnection(to: path) { client in
                let replies = client.stream(name("Count"), ["to": 1000], returning: TestService.Value.self)
                for try await _ in replies { break }
                let reply = try await client.call(name("Echo"), Text(text: "x"), returning: Text.self)
                #expect(reply.text == "x")
            }
        }
    }

    @Test("An error reply ends a stream")
    func streamError() async throws {
        try await withService { _, path, _ in
            try await Client.withConnection(to: path) { client in
                _ = await #expect(throws: ClientError.self) {
                    for try await _ in client.stream(
                        name("Fail"), NoParameters(), returning: NoParameters.self)
                    {}
                }
            }
        }
    }

    @Test("A oneway call is carried out")
    func oneway() async throws {
        try await withService { service, path, _ in
            try await Client.withConnection(to: path) { client in
                try await client.callOneway(name("Echo"), Text(text: "quiet"))
            }
            await service.started.wait(for: 1)
            #expect(service.started.values == ["quiet"])
        }
    }

    @Test("A service that isn't there is unreachable, with the reason")
    func unreachable() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/socket"
            await #expect(throws: ClientError.unreachable(path: path, errno: ENOENT)) {
                try await Client.withConnection(to: path) { _ in }
            }
            close(try makeListeningSocket(path))
            await #expect(throws: ClientError.unreachable(path: path, errno: ECONNREFUSED)) {
                try await Client.withConnection(to: path) { _ in }
            }
            let long = String(repeating: "x", count: 200)
            await #expect(throws: ClientError.unreachable(path: long, errno: ENAMETOOLONG)) {
                try await Client.withConnection(to: long) { _ in }
            }
        }
    }

    @Test(
        "A service that goes away before its reply is complete is a disconnection",
        arguments: ["", #"{"parameters":"#])
    func disconnected(reply: String) async throws {
        try await withScript(reply) { path in
            await #expect(throws: ClientError.disconnected(path: path)) {
                try await Client.withConnection(to: path) { client in
                    try await client.call("a.b.C", NoParameters(), returning: NoParameters.self)
                }
            }
        }
    }

    @Test(
        "A reply that can't be read is an invalid reply",
        arguments: ["garbage\0", "\0", #"{"parameters":{"text":3}}"# + "\0", "[]\0", #"{"error":3}"# + "\0"])
    func invalid(reply: String) async throws {
        try await withScript(reply) { path in
            let error = await #expect(throws: ClientError.self) {
                try await Client.withConnection(to: path) { client in
                    try await client.call("a.b.C", NoParameters(), returning: Text.self)
                }
            }
            guard case .invalidReply = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
        }
    }

    @Test("A reply over the limit ends the connection")
    func tooLong() async throws {
        try await withScript(String(repeating: "x", count: 2000)) { path in
            await #expect(throws: ClientError.frameTooLong(limit: 1000)) {
                try await Client.withConnection(to: path, maximumReplyBytes: 1000) { client in
                    try await client.call("a.b.C", NoParameters(), returning: Text.self)
                }
            }
        }
    }

    @Test("A cancelled call ends at once")
    func cancelled() async throws {
        try await withService { service, path, _ in
            let task = Task {
                try await Client.withConnection(to: path) { client in
                    try await client.call(name("Hold"), ["name": "1"], returning: TestService.Name.self)
                }
            }
            await service.started.wait(for: 1)
            task.cancel()
            await #expect(throws: ClientError.self) { try await task.value }
            await service.cancelled.wait(for: 1)
        }
    }

    @Test("Parameters that can't be encoded are told so")
    func unencodable() async throws {
        try await withService { _, path, _ in
            let error = await #expect(throws: ClientError.self) {
                try await Client.withConnection(to: path) { client in
                    try await client.call(name("Echo"), ["text": Double.nan], returning: Text.self)
                }
            }
            guard case .unencodable = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
        }
    }
}
