import Logging
import Synchronization
import Varlink

/// A service whose handlers tests can hold and watch.
struct TestService: Sendable {
    static let description = """
        # Things to test with.
        interface org.example.test

        type Inner (startDate: string, count: ?int)

        method Echo(text: string) -> (text: string)
        method Nested(input: Inner, inputs: ?[]Inner) -> ()
        # Waits until the test lets it go.
        method Hold(name: string) -> (name: string)
        method Stubborn(name: string) -> (name: string)
        method Count(to: int) -> (value: int)
        method MustStream() -> (value: int)
        method Fail() -> ()
        method Big(bytes: int) -> (text: string)
        method NotANumber() -> (value: float)
        method WhoAmI() -> (uid: int, pid: int)
        method Missing() -> ()

        error Failed (reason: string)

        """

    struct Text: Codable, Sendable, Hashable {
        var text: String
        enum CodingKeys: String, CodingKey, CaseIterable { case text }
        init(text: String) { self.text = text }
        init(from decoder: any Decoder) throws {
            text = try decoder.strictContainer(keyedBy: CodingKeys.self).decode(String.self, forKey: .text)
        }
    }

    struct Inner: Codable, Sendable {
        var startDate: String
        var count: Int?
        enum CodingKeys: String, CodingKey, CaseIterable { case startDate, count }
        init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            startDate = try fields.decode(String.self, forKey: .startDate)
            count = try fields.decodeIfPresent(Int.self, forKey: .count)
        }
    }

    struct Nested: Codable, Sendable {
        var input: Inner
        var inputs: [Inner]?
        enum CodingKeys: String, CodingKey, CaseIterable { case input, inputs }
        init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            input = try fields.decode(Inner.self, forKey: .input)
            inputs = try fields.decodeIfPresent([Inner].self, forKey: .inputs)
        }
    }

    struct Name: Codable, Sendable { var name: String }
    struct Limit: Codable, Sendable { var to: Int }
    struct Value: Codable, Sendable, Hashable { var value: Int }
    struct Size: Codable, Sendable { var bytes: Int }
    struct Float: Codable, Sendable { var value: Double }
    struct Caller: Codable, Sendable { var uid: UInt32, pid: Int32 }

    struct Failed: VarlinkError, Codable, Hashable {
        static let errorName = "org.example.test.Failed"
        var reason: String
    }

    /// What the handlers of Hold and Stubborn wait for.
    let gate = Gate()
    /// The calls in the order in which their handlers began.
    let started = Recorder<String>()
    /// The calls whose handlers were cancelled while they waited.
    let cancelled = Recorder<String>()
    /// The calls whose handlers returned.
    let ended = Recorder<String>()
    /// What `send` returned to Count.
    let sent = Recorder<Bool>()

    func interface() throws -> Interface {
        try Interface(
            description: Self.description,
            methods: [
                Method("Echo") { [self] (text: Text, _) async throws(ErrorReply) -> Text in
                    started.record(text.text)
                    return text
                },
                Method("Nested") { (_: Nested, _) async throws(ErrorReply) -> NoParameters in .init() },
                Method("Hold") { [self] (name: Name, _) async throws(ErrorReply) -> Name in
                    started.record(name.name)
                    if await !gate.wait() { cancelled.record(name.name) }
                    ended.record(name.name)
                    return name
                },
                Method("Stubborn") { [self] (name: Name, _) async throws(ErrorReply) -> Name in
                    started.record(name.name)
                    // A task of its own isn't cancelled with the call's.
                    _ = await Task { await gate.wait() }.value
                    ended.record(name.name)
                    return name
                },
                .streaming("Count") { [self] (limit: Limit, _, replies) async throws(ErrorReply) -> Value in
                    started.record("count")
                    for value in 1..<max(limit.to, 1) {
                        let goesOn = await replies.send(Value(value: value))
                        sent.record(goesOn)
                        if !goesOn { break }
                    }
                    return Value(value: limit.to)
                },
                .streaming("MustStream", requiresMore: true) {
                    (_: NoParameters, _, _) async throws(ErrorReply) -> Value in Value(value: 1)
                },
                Method("Fail") { (_: NoParameters, _) async throws(ErrorReply) -> NoParameters in
                    throw ErrorReply(Failed(reason: "as asked"))
                },
                Method("Big") { [self] (size: Size, _) async throws(ErrorReply) -> Text in
                    started.record("big")
                    return Text(text: String(repeating: "x", count: size.bytes))
                },
                Method("NotANumber") { (_: NoParameters, _) async throws(ErrorReply) -> Float in
                    Float(value: .nan)
                },
                Method("WhoAmI") { (_: NoParameters, context) async throws(ErrorReply) -> Caller in
                    Caller(uid: context.peer.uid, pid: context.peer.pid)
                },
            ])
    }

    static let info = ServiceInfo(
        vendor: "Example", product: "Test", version: "1", url: "https://example.org")

    static let quiet: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()
}

/// Serves a ``TestService`` while `body` runs, then shuts it down and waits for its end.
func withService<R: Sendable>(
    limits: ConnectionLimits = .init(), admission: Admission? = nil,
    onConnectionCountChange: (@Sendable (Int) -> Void)? = nil,
    _ body: (TestService, String, Server) async throws -> R
) async throws -> R {
    try await withTemporaryDirectory { directory in
        let path = "\(directory)/socket"
        let service = TestService()
        let server = Server(
            listener: .inherited(fileDescriptor: try makeListeningSocket(path)), info: TestService.info,
            interfaces: [try service.interface()],
            admission: admission ?? Admission(ServerLimits(connection: limits)), logger: TestService.quiet,
            onConnectionCountChange: onConnectionCountChange)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let result: Result<R, any Error>
            do {
                result = .success(try await body(service, path, server))
            } catch {
                result = .failure(error)
            }
            service.gate.open()
            server.shutDown()
            try await group.waitForAll()
            return try result.get()
        }
    }
}

/// A call of the test interface, as JSON.
func message(_ method: String, _ parameters: String = "{}", _ rest: String = "") -> String {
    #"{"method":"org.example.test.\#(method)","parameters":\#(parameters)\#(rest)}"#
}
