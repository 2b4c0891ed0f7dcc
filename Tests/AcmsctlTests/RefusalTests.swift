import Bookings
import Testing
import Varlink

@Suite struct RefusalTests {
    private static let book = [
        "book", "--user", "alice", "--apartment", "A-17", "--from", "2026-12-01", "--to", "2026-12-05",
    ]

    /// A refusal, the verb that meets it, and what people are told.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let interface: String
        let method: String
        let error: any VarlinkError
        let arguments: [String]
        let errors: String

        var testDescription: String { "\(arguments[0]): \(type(of: error).errorName)" }

        static func bookings(
            _ method: String, _ error: any VarlinkError, _ arguments: [String], _ errors: String
        ) -> Refusal {
            Refusal(
                interface: BookingsInterface.description, method: method, error: error, arguments: arguments,
                errors: errors)
        }

        static func caretaker(_ error: any VarlinkError, _ errors: String) -> Refusal {
            Refusal(
                interface: CaretakerInterface.description, method: "ApproveBooking", error: error,
                arguments: ["approve", "X"], errors: errors)
        }

        static func queue(
            _ method: String, _ error: any VarlinkError, _ arguments: [String], _ errors: String
        ) -> Refusal {
            Refusal(
                interface: QueueInterface.description, method: method, error: error, arguments: arguments,
                errors: errors)
        }
    }

    static let refusals: [Refusal] = [
        .bookings(
            "CreateApartmentBooking", BookingsInterface.InvalidInput(field: "userId", reason: "is empty"),
            book,
            "acmsctl: userId: is empty.\nCorrect --user and repeat.\n"),
        .bookings(
            "CreateApartmentBooking",
            BookingsInterface.PendingBookingExists(bookingId: "B", progress: .queued),
            book,
            "acmsctl: this user already has the booking B (QUEUED) of this apartment; see 'acmsctl show B'.\n"
        ),
        .bookings(
            "CreateApartmentBooking",
            BookingsInterface.ApartmentNotAvailable(
                bookingId: "B", startDate: "2026-12-02", endDate: "2026-12-04"), book,
            """
            acmsctl: the apartment is taken from 2026-12-02 to 2026-12-04 by the booking B.
            Choose other dates, or see 'acmsctl show B'.

            """),
        .bookings(
            "CreateApartmentBooking", BookingsInterface.IdempotencyKeyReused(bookingId: "B"), book,
            """
            acmsctl: this user has used the key for a different booking, B.
            See 'acmsctl show B', or take another --key.

            """),
        .bookings(
            "CreateApartmentBooking",
            BookingsInterface.QueueFull(reason: "1000 messages wait", retryAfterSeconds: 5), book,
            "acmsctl: the queue is full: 1000 messages wait.\nTry again in 5 s.\n"),
        .bookings(
            "CreateApartmentBooking", BookingsInterface.StorageUnavailable(reason: "no space left"), book,
            """
            acmsctl: the storage is unavailable: no space left.
            See 'systemctl status acms-front.service' and 'journalctl -u acms-front.service'.

            """),
        .bookings(
            "GetBooking", BookingsInterface.BookingNotFound(id: "X\u{1b}[2J"), ["show", "X"],
            "acmsctl: no booking has the id X\\u{1b}[2J; see 'acmsctl list --help' for how to find it.\n"),
        .bookings(
            "GetAllBookingsPerUser", ServiceError.PermissionDenied(reason: "not your name"),
            ["list", "--user", "bob"],
            "acmsctl: acms denies this to you: not your name.\nAsk the administrator of acms.\n"),
        .caretaker(
            CaretakerInterface.NotYetCommitted(id: "X", progress: .deferred),
            "acmsctl: the booking X is not in the table yet (DEFERRED); see 'acmsctl await X'.\n"),
        .caretaker(
            CaretakerInterface.NotYetCommitted(id: "X", progress: .deadLettered),
            "acmsctl: the booking X is not in the table yet (DEAD_LETTERED); see 'acmsctl dlq show X'.\n"),
        .caretaker(
            CaretakerInterface.WrongStatus(bookingStatus: .cancelled),
            "acmsctl: the booking is CANCELLED, which does not allow this; see 'acmsctl show X'.\n"),
        .caretaker(
            CaretakerInterface.StorageUnavailable(reason: "The table is locked."),
            """
            acmsctl: the storage is unavailable: The table is locked.
            See 'systemctl status acms-worker.service' and 'journalctl -u acms-worker.service'.

            """),
        .queue(
            "GetDeadLetter", QueueInterface.DeadLetterNotFound(id: "X"), ["dlq", "show", "X"],
            "acmsctl: no dead letter has the id X; see 'acmsctl dlq list'.\n"),
        .queue(
            "ListDeadLetters", ServiceError.InvalidParameter(parameter: "filter.deadBefore"),
            ["dlq", "list"],
            """
            acmsctl: acms does not accept filter.deadBefore.
            If it is a value of yours, correct it; else update acms-worker.service or acmsctl.

            """),
    ]

    @Test(arguments: refusals) func `a refusal exits 1 and says what to do`(refusal: Refusal) async throws {
        let outcome = try await FakeDaemon.refusing(refusal.interface, refusal.method, refusal.error) {
            try await Program.run([Program.path] + refusal.arguments + ["--socket", $0])
        }
        #expect(outcome.status == 1)
        #expect(outcome.errors == refusal.errors)
        #expect(outcome.output.isEmpty)
    }

    @Test(arguments: refusals) func `with JSON a refusal is one object`(refusal: Refusal) async throws {
        let outcome = try await FakeDaemon.refusing(refusal.interface, refusal.method, refusal.error) {
            try await Program.run([Program.path] + refusal.arguments + ["--json", "--socket", $0])
        }
        #expect(outcome.status == 1)
        #expect(outcome.errorLines.count == 1)
        #expect(outcome.errors.hasPrefix(#"{"error":"\#(type(of: refusal.error).errorName)","parameters":{"#))
        #expect(outcome.output.isEmpty)
    }

    @Test func `a daemon that lacks a method is told of`() async throws {
        let outcome = try await FakeDaemon.serving(QueueInterface.description, []) {
            try await Program.run("queue", "--socket", $0)
        }
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.hasPrefix("acmsctl: the daemon does not know io.acms.Queue.GetQueueAttributes.\n"))
        #expect(outcome.errors.contains("systemctl restart acms-worker.service"))
    }

    @Test func `the socket of another interface is told of`() async throws {
        let outcome = try await FakeDaemon.serving(QueueInterface.description, []) {
            try await Program.run("show", "X", "--socket", $0)
        }
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("acmsctl: the socket does not serve io.acms.Bookings.\n"))
    }

    @Test func `an error that acmsctl doesn't know is printed as it came`() async throws {
        struct Novel: VarlinkError {
            static let errorName = "io.acms.Bookings.Novel"
            let colour = "blue"
        }
        let outcome = try await FakeDaemon.refusing(BookingsInterface.description, "GetBooking", Novel()) {
            try await Program.run("show", "X", "--socket", $0)
        }
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains(#"io.acms.Bookings.Novel {"colour":"blue"}"#))
    }
}
