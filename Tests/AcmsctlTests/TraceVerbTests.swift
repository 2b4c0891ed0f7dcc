import Bookings
import Foundation
import Support
import Systemd
import Testing
import Varlink

@Suite struct TraceVerbTests {
    private static let id = Booking.sample(1).id

    private static func state(_ progress: Bookings.Progress, _ status: BookingStatus = .pending) -> Method {
        Method("GetBooking") {
            (parameters: BookingsInterface.ByID, _) throws(ErrorReply) -> BookingsInterface.BookingState in
            guard parameters.id == id else {
                throw ErrorReply(BookingsInterface.BookingNotFound(id: parameters.id))
            }
            return .init(progress: progress, booking: .sample(1, status: status))
        }
    }

    /// A journal in which the booking was accepted, committed in a batch, and approved.
    private func journal() async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let start: Int64 = 1_700_000_000_125_000
        func entry(
            _ after: Int64, _ event: EventID, _ message: String, _ unit: String,
            _ fields: [(String, String)] = []
        ) -> JournalFile.Entry {
            (
                start + after,
                [
                    ("MESSAGE_ID", event.rawValue), ("MESSAGE", message), ("ACMS_BOOKING_ID", Self.id),
                    ("_SYSTEMD_UNIT", unit),
                ] + fields.map { (name: $0.0, value: $0.1) }
            )
        }
        try await JournalFile.write(
            [
                entry(
                    0, .bookingsAccepted, "Accepted a booking.", "acms-front.service",
                    [("TRACE_ID", "4bf92f3577b34da6a3ce929d0e0e4736"), ("ACMS_USER_ID", "alice")]),
                entry(1000, .batchCommitted, "Forged.", "evil.service"),
                entry(
                    8200, .batchCommitted, "Committed 2 bookings.", "acms-worker.service",
                    [("ACMS_BOOKING_ID", "another")]),
                entry(
                    90_008_200, .decided, "Booking is now APPROVED, as carl asked.", "acms-worker.service",
                    [("ACMS_PEER_LOGIN", "carl"), ("ACMS_PEER_UID", "1000")]),
            ], to: "system", in: directory)
        return directory
    }

    private func trace(
        _ id: String, _ methods: [Method], _ arguments: String...,
        environment: [String: String] = ["LANG": "C.UTF-8"]
    ) async throws -> Program.Outcome {
        try await FakeDaemon.serving(BookingsInterface.description, methods) {
            try await Program.run(
                [Program.path, "trace", id, "--socket", $0] + arguments, environment: environment)
        }
    }

    @Test func `it tells each step with its delay, the trace, and where the booking is now`() async throws {
        let journal = try await journal()
        let outcome = try await trace(
            Self.id, [Self.state(.committed, .approved)], "--directory", journal.path)
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(
            outcome.output == """
                TIME                      DELAY        STEP       DETAIL
                2023-11-14T22:13:20.125Z               ACCEPTED   durable in the queue, 2.0 ms after it came
                2023-11-14T22:13:20.133Z  +8.2 ms      COMMITTED  in the table, with another one
                2023-11-14T22:14:50.133Z  +1 min 30 s  APPROVED   by carl (uid 1000)

                trace:  4bf92f3577b34da6a3ce929d0e0e4736
                now:    COMMITTED, APPROVED

                """)
    }

    @Test func `with JSON it is an object a step`() async throws {
        let journal = try await journal()
        let outcome = try await trace(
            Self.id.uppercased(), [Self.state(.committed, .approved)], "--directory", journal.path, "--json")
        #expect(outcome.outputLines.count == 3)
        #expect(
            outcome.outputLines.last.map(String.init)
                == #"{"delaySeconds":90,"detail":"by carl (uid 1000)","on":"2023-11-14T22:14:50.133200Z","#
                + #""source":"JOURNAL","step":"APPROVED","traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#)
        #expect(outcome.errors.isEmpty)
    }

    @Test func `without a journal it tells what the table knows, and that it is not all`() async throws {
        let empty = try TemporaryDirectory()
        let outcome = try await trace(Self.id, [Self.state(.committed, .approved)], "--directory", empty.path)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("ACCEPTED  as the table has it\n"))
        #expect(outcome.output.hasSuffix("\nnow:  COMMITTED, APPROVED\n"))
        #expect(outcome.errors.contains("only what table and queue know is told.\n"))
        let json = try await trace(
            Self.id, [Self.state(.committed)], "--directory", empty.path, "--json")
        #expect(json.errors.hasPrefix(#"{"error":"acmsctl.JournalUnreadable","parameters":{"message":"#))
    }

    @Test func `a journal that may not be read names the group`() async throws {
        let journal = try await journal()
        chmod("\(journal.path)/system.journal", 0)
        let prefix = geteuid() == 0 ? ["/usr/bin/setpriv", "--bounding-set=-all"] : []
        let outcome = try await FakeDaemon.serving(BookingsInterface.description, [Self.state(.committed)]) {
            try await Program.run(
                prefix + [Program.path, "trace", Self.id, "--socket", $0, "--directory", journal.path])
        }
        #expect(outcome.status == 0)
        #expect(
            outcome.errors.hasPrefix(
                "The journal can't be read, so only what table and queue know is told.\n"))
    }

    @Test func `a booking that nobody knows is not found`() async throws {
        let journal = try await journal()
        let outcome = try await trace("nobody", [Self.state(.committed)], "--directory", journal.path)
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("acmsctl: no booking has the id nobody"))
    }

    @Test func `a booking that only the journal knows is told of`() async throws {
        let journal = try await journal()
        let gone = Method("GetBooking") {
            (parameters: BookingsInterface.ByID, _) throws(ErrorReply) -> BookingsInterface.BookingState in
            throw ErrorReply(BookingsInterface.BookingNotFound(id: parameters.id))
        }
        let outcome = try await trace(Self.id, [gone], "--directory", journal.path)
        #expect(outcome.status == 0)
        #expect(outcome.output.hasSuffix("\nnow:    nowhere: no booking has this id any more\n"))
    }

    @Test func `without the front it tells what the journal knows, and exits 69`() async throws {
        let journal = try await journal()
        let outcome = try await Program.run(
            "trace", Self.id, "--socket", "/nonexistent/socket", "--directory", journal.path)
        #expect(outcome.status == 69)
        #expect(outcome.output.contains("COMMITTED  in the table, with another one\n"))
        #expect(outcome.output.hasSuffix("\nnow:    unknown\n"))
        #expect(outcome.errors.hasPrefix("acmsctl: nothing can be reached at /nonexistent/socket"))
    }

    @Test func `the tries of a dead letter come from the queue`() async throws {
        let empty = try TemporaryDirectory()
        let letter = Method("GetDeadLetter") { (_: QueueInterface.ByID, _) throws(ErrorReply) in
            QueueInterface.OneDeadLetter(letter: .sample())
        }
        let outcome = try await FakeDaemon.serving(QueueInterface.description, [letter]) { queue in
            try await trace(
                Self.id, [Self.state(.deadLettered)], "--directory", empty.path,
                environment: ["ACMS_SOCKET_QUEUE": queue])
        }
        #expect(outcome.output.contains("DEAD_LETTERED  POISON at receive 1: the message is not JSON\n"))
        #expect(outcome.output.hasSuffix("now:  DEAD_LETTERED\n"))
        let without = try await trace(
            Self.id, [Self.state(.deadLettered)], "--directory", empty.path,
            environment: ["ACMS_SOCKET_QUEUE": "/nonexistent/queue"])
        #expect(without.status == 0)
        #expect(
            without.errors.contains("The tries of the dead letter can't be asked for: nothing can be reached")
        )
    }

    @Test func `a letter that only the worker knows is told of`() async throws {
        let empty = try TemporaryDirectory()
        let letter = Method("GetDeadLetter") { (_: QueueInterface.ByID, _) throws(ErrorReply) in
            QueueInterface.OneDeadLetter(letter: .sample())
        }
        let outcome = try await FakeDaemon.serving(QueueInterface.description, [letter]) { queue in
            try await trace(
                DeadLetter.sample().id, [Self.state(.queued)], "--directory", empty.path,
                environment: ["ACMS_SOCKET_QUEUE": queue])
        }
        #expect(outcome.status == 0)
        #expect(outcome.output.hasSuffix("now:  DEAD_LETTERED\n"))
    }

    @Test func `a directory that isn't there exits 66`() async throws {
        let outcome = try await trace(Self.id, [Self.state(.committed)], "--directory", "/nonexistent")
        #expect(outcome.status == 66)
    }
}
