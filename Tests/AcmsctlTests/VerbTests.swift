import Bookings
import Support
import Testing
import Varlink

@Suite struct VerbTests {
    private static let id = Booking.sample().id

    private func bookings(_ methods: Method..., arguments: String...) async throws -> Program.Outcome {
        try await FakeDaemon.serving(BookingsInterface.description, methods) {
            try await Program.run([Program.path] + arguments + ["--socket", $0])
        }
    }

    private func queue(_ methods: Method..., arguments: String...) async throws -> Program.Outcome {
        try await FakeDaemon.serving(QueueInterface.description, methods) {
            try await Program.run([Program.path] + arguments + ["--socket", $0])
        }
    }

    /// Accepts exactly the booking that `book` asks for below.
    private static let create = Method("CreateApartmentBooking") {
        (parameters: BookingsInterface.Create, _) throws(ErrorReply) -> BookingsInterface.Created in
        let expected = CreateBookingInput(
            userId: "alice", apartmentId: "A-17", startDate: "2026-12-01", endDate: "2026-12-05",
            idempotencyKey: "k")
        guard parameters.input == expected else {
            throw ErrorReply(BookingsInterface.InvalidInput(field: "input", reason: "\(parameters.input)"))
        }
        return .init(id: id)
    }

    private static let awaitSettled = Method.streaming("AwaitBooking") {
        (
            parameters: BookingsInterface.ByID, _, replies: ReplyStream<BookingsInterface.BookingState>
        ) async throws(ErrorReply) in
        await replies.send(.init(progress: .queued, booking: .sample()))
        await replies.send(.init(progress: .deferred, booking: .sample()))
        return .init(progress: .committed, booking: .sample())
    }

    private static let pages = Method.streaming("GetAllBookingsPerUser") {
        (
            parameters: BookingsInterface.ListPerUser, call,
            replies: ReplyStream<BookingsInterface.BookingList>
        ) async throws(ErrorReply) in
        let first = BookingsInterface.BookingList(
            items: [.sample(1), .sample(2, status: .approved)], nextToken: "2")
        guard call.wantsMore else { return first }
        await replies.send(first)
        return .init(items: [.sample(3, status: .cancelled)], nextToken: nil)
    }

    @Test func `book prints the id, and the next step beside it`() async throws {
        let outcome = try await bookings(
            Self.create, arguments: "book", "--user", "alice", "--apartment", "A-17", "--from", "2026-12-01",
            "--to", "2026-12-05", "--key", "k")
        #expect(outcome.status == 0)
        #expect(outcome.output == "\(Self.id)\n")
        #expect(outcome.errors == "Accepted; follow it with 'acmsctl await \(Self.id)'.\n")
    }

    @Test func `book waits until the booking is settled`() async throws {
        let outcome = try await bookings(
            Self.create, Self.awaitSettled, arguments: "book", "--user", "alice", "--apartment", "A-17",
            "--from", "2026-12-01", "--to", "2026-12-05", "--key", "k", "--wait")
        #expect(outcome.status == 0)
        #expect(outcome.outputLines.first == "\(Self.id)")
        #expect(outcome.output.contains("progress:   COMMITTED\n"))
    }

    @Test func `book prints an object for the id and one for the settled booking`() async throws {
        let outcome = try await bookings(
            Self.create, Self.awaitSettled, arguments: "book", "--user", "alice", "--apartment", "A-17",
            "--from", "2026-12-01", "--to", "2026-12-05", "--key", "k", "--wait", "--json")
        #expect(outcome.outputLines.first == #"{"id":"\#(Self.id)"}"#)
        #expect(outcome.outputLines.last?.hasSuffix(#","progress":"COMMITTED"}"#) == true)
        #expect(outcome.outputLines.count == 2)
        #expect(outcome.errors.isEmpty)
    }

    @Test func `list goes through all pages`() async throws {
        let outcome = try await bookings(Self.pages, arguments: "list", "--user", "alice")
        #expect(outcome.status == 0)
        #expect(outcome.outputLines.count == 4)
        #expect(outcome.outputLines[0].hasPrefix("ID     "))
        #expect(
            outcome.outputLines[2] == """
                01932b1c-7a5e-7d11-9c55-000000000002  A-17       2026-12-01  2026-12-05  APPROVED   \
                2023-11-14T22:13:20.123Z
                """)
    }

    @Test func `list stops at the limit`() async throws {
        let outcome = try await bookings(
            Self.pages, arguments: "list", "--user", "alice", "--limit", "1", "--json")
        #expect(outcome.outputLines.count == 1)
        #expect(outcome.output.hasPrefix(#"{"apartmentId":"A-17","bookingStatus":"PENDING","#))
    }

    @Test func `list asks on where a service returns one page a call`() async throws {
        let onePage = Method("GetAllBookingsPerUser") {
            (parameters: BookingsInterface.ListPerUser, _) throws(ErrorReply) -> BookingsInterface.BookingList
            in
            let number = parameters.nextToken.flatMap { Int($0) } ?? 0
            return .init(items: [.sample(number)], nextToken: number < 4 ? "\(number + 1)" : nil)
        }
        let outcome = try await bookings(onePage, arguments: "list", "--user", "alice", "--json")
        #expect(outcome.outputLines.count == 5)
    }

    @Test func `an empty list says so beside the result, and not at all with JSON`() async throws {
        let none = Method("GetAllBookingsPerApartment") {
            (parameters: BookingsInterface.ListPerApartment, _) throws(ErrorReply) in
            BookingsInterface.BookingList(items: [], nextToken: nil)
        }
        let people = try await bookings(none, arguments: "list", "--apartment", "X")
        #expect(people.status == 0)
        #expect(people.output.isEmpty)
        #expect(people.errors == "No bookings of apartment X.\n")
        let program = try await bookings(
            none, arguments: "list", "--apartment", "X", "--status", "pending", "--json")
        #expect(program.status == 0)
        #expect(program.output.isEmpty && program.errors.isEmpty)
    }

    @Test func `show prints keys and values`() async throws {
        let get = Method("GetBooking") { (_: BookingsInterface.ByID, _) throws(ErrorReply) in
            BookingsInterface.BookingState(
                progress: .deadLettered, booking: .sample(user: "al\u{1b}[2Jice"))
        }
        let outcome = try await bookings(get, arguments: "show", "X")
        #expect(outcome.output.contains("progress:   DEAD_LETTERED\nstatus:     PENDING\n"))
        #expect(outcome.output.contains("user:       al\\u{1b}[2Jice\n"))
        #expect(outcome.output.contains(" days ago)\n"))
        #expect(outcome.errors == "It was set aside; see 'acmsctl dlq show \(Self.id)'.\n")
    }

    @Test func `await prints the end, and each change when it follows`() async throws {
        let end = try await bookings(Self.awaitSettled, arguments: "await", "X", "--json")
        #expect(end.outputLines.count == 1)
        let changes = try await bookings(Self.awaitSettled, arguments: "await", "X", "--follow")
        #expect(
            changes.outputLines.map { $0.split(separator: " ")[1] } == ["QUEUED", "DEFERRED", "COMMITTED"])
    }

    @Test func `approve tells what it cancelled`() async throws {
        let approve = Method("ApproveBooking") { (_: BookingsInterface.ByID, _) throws(ErrorReply) in
            CaretakerInterface.Approved(booking: .sample(status: .approved), cancelled: ["B"])
        }
        let outcome = try await FakeDaemon.serving(CaretakerInterface.description, [approve]) {
            try await Program.run("approve", "X", "--socket", $0)
        }
        #expect(outcome.output.contains("status:     APPROVED\n"))
        #expect(outcome.output.hasSuffix("cancelled:  B\n"))
    }

    @Test func `cancel prints the booking`() async throws {
        let cancel = Method("CancelBooking") { (_: BookingsInterface.ByID, _) throws(ErrorReply) in
            CaretakerInterface.Cancelled(booking: .sample(status: .cancelled))
        }
        let outcome = try await FakeDaemon.serving(CaretakerInterface.description, [cancel]) {
            try await Program.run("cancel", "X", "--socket", $0)
        }
        #expect(outcome.output.contains("status:     CANCELLED\n"))
    }

    @Test func `queue counts, and tells what holds it up`() async throws {
        let attributes = Method("GetQueueAttributes") { (_: JSONValue, _) throws(ErrorReply) in
            QueueInterface.Attributes(
                incoming: 3, active: 0, deferred: 1, dead: 2, oldestSeconds: 200, committedTotal: 1234,
                deadLetteredTotal: 7, paused: true, pausedUntil: nil, tableAvailable: false,
                tableError: "disk full")
        }
        let outcome = try await queue(attributes, arguments: "queue")
        #expect(outcome.output.contains("oldest:                3 min\n"))
        #expect(outcome.output.contains("committing:            paused\n"))
        #expect(outcome.output.contains("table:                 unavailable: disk full\n"))
        let line = try await queue(attributes, arguments: "queue", "--json").output
        #expect(line.hasPrefix(#"{"active":0,"committedTotal":1234,"dead":2,"#))
    }

    @Test func `dlq list passes the filter on`() async throws {
        let list = Method("ListDeadLetters") {
            (parameters: QueueInterface.ListDeadLetters, _) throws(ErrorReply)
                -> QueueInterface.DeadLetterList in
            let expected = DeadLetterFilter(
                class: .poison, reasonContains: "JSON", userId: "alice", apartmentId: "A-17",
                deadBefore: Timestamp("2026-11-22T00:00:00Z"))
            return .init(items: parameters.filter == expected ? [.sample()] : [], nextToken: nil)
        }
        let found = try await queue(
            list, arguments: "dlq", "list", "--class", "poison", "--reason", "JSON", "--user", "alice",
            "--apartment", "A-17", "--before", "2026-11-22")
        #expect(found.outputLines.count == 2)
        #expect(found.output.contains("the message is not JSON"))
        let none = try await queue(list, arguments: "dlq", "list")
        #expect(none.errors == "No dead letters.\n")
    }

    private static func letter(_ letter: DeadLetter) -> Method {
        Method("GetDeadLetter") { (_: BookingsInterface.ByID, _) throws(ErrorReply) in
            QueueInterface.OneDeadLetter(letter: letter)
        }
    }

    @Test func `dlq show prints fields, tries and text`() async throws {
        let outcome = try await queue(
            Self.letter(.sample(body: "line\none \u{1b}[2J")), arguments: "dlq", "show", "X")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("class:          POISON\n"))
        #expect(outcome.output.contains("user:           -\n"))
        #expect(
            outcome.output.contains(
                "\nATTEMPT                   CLASS   REASON\n2023-11-14T22:13:20.123Z  POISON  "))
        #expect(outcome.output.hasSuffix("\nline\none \\u{1b}[2J\n"))
    }

    @Test func `dlq show prints binary as a hexdump, and as it is with --body`() async throws {
        let method = Self.letter(.sample(body: "AP/+", isBase64: true))
        let people = try await queue(method, arguments: "dlq", "show", "X")
        #expect(people.output.contains("\n00000000  00 ff fe "))
        let raw = try await FakeDaemon.serving(QueueInterface.description, [method]) {
            try await Program.run([
                "/bin/sh", "-c", "'\(Program.path)' dlq show X --body --socket '\($0)' | od -An -tx1",
            ])
        }
        #expect(raw.output == " 00 ff fe\n")
    }

    @Test func `dlq show --body adds nothing to text`() async throws {
        let outcome = try await queue(
            Self.letter(.sample(body: "{oops")), arguments: "dlq", "show", "X", "--body")
        #expect(outcome.output == "{oops")
        #expect(outcome.status == 0)
    }

    @Test func `a body that isn't here in full exits 74 and says where it is`() async throws {
        let letter = DeadLetter.sample(body: "{oops", size: 9_000_000, isTruncated: true, file: "X.body")
        let outcome = try await queue(Self.letter(letter), arguments: "dlq", "show", "X", "--body")
        #expect(outcome.status == 74)
        #expect(outcome.output == "{oops")
        #expect(
            outcome.errors.contains("only the first 5 of 9000000 bytes") && outcome.errors.contains("X.body"))
    }
}
