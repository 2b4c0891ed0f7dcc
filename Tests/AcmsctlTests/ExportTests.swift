import Bookings
import Foundation
import Support
import Testing
import Varlink

@Suite struct ExportTests {
    private static let all = Method.streaming("GetAllBookings") {
        (
            parameters: BookingsInterface.ListAll, call, replies: ReplyStream<BookingsInterface.BookingList>
        ) async throws(ErrorReply) in
        guard parameters.bookingStatus == .pending, parameters.limit == 1000, call.wantsMore else {
            throw ErrorReply(ServiceError.InvalidParameter(parameter: "\(parameters)"))
        }
        await replies.send(.init(items: [.sample(1), .sample(2, user: "a \"b\", c\nd")], nextToken: "2"))
        return .init(items: [.sample(3)], nextToken: nil)
    }

    private func bookings(_ methods: [Method], _ arguments: String...) async throws -> Program.Outcome {
        try await FakeDaemon.serving(BookingsInterface.description, methods) {
            try await Program.run([Program.path, "export", "bookings", "--socket", $0] + arguments)
        }
    }

    private func queue(_ methods: [Method], _ arguments: String...) async throws -> Program.Outcome {
        try await FakeDaemon.serving(QueueInterface.description, methods) {
            try await Program.run([Program.path, "export"] + arguments + ["--socket", $0])
        }
    }

    @Test func `all bookings are streamed, one object a line`() async throws {
        let outcome = try await bookings([Self.all], "--status", "pending")
        #expect(outcome.status == 0)
        #expect(outcome.outputLines.count == 3)
        #expect(
            outcome.outputLines.first?.hasPrefix(#"{"apartmentId":"A-17","bookingStatus":"PENDING","#) == true
        )
        #expect(outcome.errors == "3 bookings exported.\n")
    }

    @Test func `CSV has a header and quotes what must be`() async throws {
        let outcome = try await bookings([Self.all], "--status", "pending", "--format", "csv")
        let time = "2023-11-14T22:13:20.123Z"
        let id = "01932b1c-7a5e-7d11-9c55-00000000000"
        #expect(
            outcome.output
                == "id,userId,apartmentId,startDate,endDate,bookingStatus,createdOn,updatedOn\r\n"
                + "\(id)1,alice,A-17,2026-12-01,2026-12-05,PENDING,\(time),\(time)\r\n"
                + "\(id)2,\"a \"\"b\"\", c\nd\",A-17,2026-12-01,2026-12-05,PENDING,\(time),\(time)\r\n"
                + "\(id)3,alice,A-17,2026-12-01,2026-12-05,PENDING,\(time),\(time)\r\n")
    }

    @Test func `the bookings of an apartment or a user are asked for page by page where that must be`()
        async throws
    {
        let perUser = Method("GetAllBookingsPerUser") {
            (parameters: BookingsInterface.ListPerUser, _) throws(ErrorReply) -> BookingsInterface.BookingList
            in
            let number = parameters.nextToken.flatMap { Int($0) } ?? 0
            return .init(
                items: [.sample(number, user: parameters.userId)],
                nextToken: number < 2 ? "\(number + 1)" : nil)
        }
        #expect(try await bookings([perUser], "--user", "bob").outputLines.count == 3)
        let perApartment = Method("GetAllBookingsPerApartment") {
            (parameters: BookingsInterface.ListPerApartment, _) throws(ErrorReply) in
            BookingsInterface.BookingList(items: [.sample(status: .approved)], nextToken: nil)
        }
        let one = try await bookings([perApartment], "--apartment", "A-17", "--format", "csv")
        #expect(one.output.contains(",APPROVED,"))
        #expect(try await bookings([], "--user", "a", "--apartment", "b").status == 64)
    }

    @Test(arguments: ["jsonl", "csv"]) func `what was exported can be imported`(format: String) async throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/b.\(format)"
        let outcome = try await bookings(
            [Self.all], "--status", "pending", "--format", format, "--output", path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let front = FakeFront()
        #expect(try await front.importing("b.\(format)", in: directory).status == 0)
        #expect(front.inputs.map(\.userId) == ["alice", "a \"b\", c\nd", "alice"])
    }

    @Test func `a file has its name only once it is complete`() async throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/b.jsonl"
        try directory.write("old", to: "b.jsonl")
        let broken = Method.streaming("GetAllBookings") {
            (_: BookingsInterface.ListAll, _, replies: ReplyStream<BookingsInterface.BookingList>)
                async throws(ErrorReply) -> BookingsInterface.BookingList in
            await replies.send(.init(items: [.sample(1)], nextToken: "1"))
            let names = (try? directory.names()) ?? []
            #expect(names.count == 2 && names.contains("b.jsonl"))
            throw ErrorReply(BookingsInterface.StorageUnavailable(reason: "the table is gone"))
        }
        let failed = try await bookings([broken], "--output", path)
        #expect(failed.status == 1)
        #expect(failed.errors.hasPrefix("acmsctl: the storage is unavailable: the table is gone.\n"))
        #expect(try directory.names() == ["b.jsonl"])
        #expect(try directory.read("b.jsonl") == "old")
        let whole = try await bookings([Self.all], "--status", "pending", "--output", path)
        #expect(whole.output.isEmpty)
        #expect(try directory.names() == ["b.jsonl"])
        #expect(try directory.read("b.jsonl").split(separator: "\n").count == 3)
        let nowhere = try await bookings([Self.all], "--output", "/nonexistent/b.jsonl")
        #expect(nowhere.status == 74)
        #expect(nowhere.errors.hasPrefix("acmsctl: /nonexistent/b.jsonl can't be written: No such file"))
    }

    @Test func `a pipe is written to, and a link's end is replaced`() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("old", to: "target")
        try FileManager.default.createSymbolicLink(
            atPath: "\(directory.path)/link", withDestinationPath: "target")
        let linked = try await bookings(
            [Self.all], "--status", "pending", "--output", "\(directory.path)/link")
        #expect(linked.status == 0)
        #expect(try directory.read("target").split(separator: "\n").count == 3)
        #expect(try directory.names() == ["link", "target"])
        let pipe = "\(directory.path)/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        // Open for both ends, so that nobody waits for the other.
        let reader = open(pipe, O_RDWR | O_CLOEXEC)
        defer { close(reader) }
        let piped = try await bookings([Self.all], "--status", "pending", "--output", pipe)
        #expect(piped.status == 0)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(reader, &bytes, bytes.count)
        #expect(bytes.prefix(max(0, count)).count { $0 == UInt8(ascii: "\n") } == 3)
        #expect(try directory.names() == ["link", "pipe", "target"])
        let shown = try await bookings([Self.all], "--status", "pending", "--output", "-")
        #expect(shown.output.split(separator: "\n").count == 3)
    }

    @Test func `the queue is exported with its failed tries`() async throws {
        let list = Method("ListMessages") { (_: QueueInterface.ListMessages, _) throws(ErrorReply) in
            let json = """
                {"id":"I","place":"DEFERRED","file":"f","acceptedOn":"2026-01-01T00:00:00Z","receiveCount":1,\
                "redriveCount":0,"notBefore":"2026-01-02T00:00:00Z","userId":"u","apartmentId":"A",\
                "startDate":"2026-12-01","endDate":"2026-12-02","attempts":[{"on":"2026-01-01T00:00:00Z",\
                "class":"FAILED","reason":"locked"}]}
                """
            let message = try? JSONDecoder().decode(QueueInterface.QueuedMessage.self, from: Data(json.utf8))
            return QueueInterface.MessageList(items: [message].compactMap { $0 }, nextToken: nil)
        }
        let json = try await queue([list], "queue")
        #expect(json.output.contains(#""notBefore":"2026-01-02T00:00:00.000Z","place":"DEFERRED","#))
        let csv = try await queue([list], "queue", "--format", "csv").output.split(separator: "\r\n")
        #expect(
            csv.first
                == "id,place,file,acceptedOn,receiveCount,redriveCount,notBefore,userId,apartmentId,startDate,endDate,idempotencyKey,traceparent,attempts"
        )
        #expect(
            csv.last == """
                I,DEFERRED,f,2026-01-01T00:00:00.000Z,1,0,2026-01-02T00:00:00.000Z,u,A,2026-12-01,2026-12-02,,,\
                "[{""class"":""FAILED"",""on"":""2026-01-01T00:00:00.000Z"",""reason"":""locked""}]"
                """)
    }

    private static func letters(_ whole: DeadLetter?) -> [Method] {
        [
            Method("ListDeadLetters") {
                (parameters: QueueInterface.ListDeadLetters, _) throws(ErrorReply)
                    -> QueueInterface.DeadLetterList in
                guard parameters.filter == DeadLetterFilter(class: .poison) else {
                    return .init(items: [], nextToken: nil)
                }
                let last = parameters.nextToken != nil
                return .init(
                    items: [last ? .sample(body: "all of it") : .sample(body: "the begi", isTruncated: true)],
                    nextToken: last ? nil : "1")
            },
            Method("GetDeadLetter") {
                (parameters: BookingsInterface.ByID, _) throws(ErrorReply) -> QueueInterface.OneDeadLetter in
                guard let whole else {
                    throw ErrorReply(QueueInterface.DeadLetterNotFound(id: parameters.id))
                }
                return .init(letter: whole)
            },
        ]
    }

    @Test func `dead letters are exported, with whole bodies where these are asked for`() async throws {
        let methods = Self.letters(.sample(body: "the beginning and the end"))
        let short = try await queue(methods, "dead", "--class", "poison")
        #expect(short.status == 0)
        #expect(short.outputLines.count == 2)
        #expect(short.output.contains(#""body":"the begi""#))
        let whole = try await queue(methods, "dead", "--class", "poison", "--bodies", "--format", "csv")
        #expect(whole.status == 0)
        #expect(whole.output.contains(",the beginning and the end,false,"))
        #expect(whole.output.contains(",all of it,false,"))
        let redriven = try await queue(Self.letters(nil), "dead", "--class", "poison", "--bodies")
        #expect(redriven.outputLines.count == 1)
        #expect(redriven.status == 0)
        #expect(try await queue(methods, "dead").errors == "0 dead letters exported.\n")
    }

    @Test func `a body that acms doesn't hand over in full is told of at the end`() async throws {
        let methods = Self.letters(.sample(body: "the beginning", isTruncated: true, file: "X.body"))
        let outcome = try await queue(methods, "dead", "--class", "poison", "--bodies")
        #expect(outcome.status == 74)
        #expect(outcome.outputLines.count == 2)
        #expect(outcome.errors.contains("1 body is longer than acms hands over; bodyFile names"))
    }
}
