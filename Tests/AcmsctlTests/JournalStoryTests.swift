import Bookings
import Systemd
import Testing

@testable import Verbs

@Suite struct JournalStoryTests {
    static let id = "01932b1c-7a5e-7d11-9c55-000000000001"
    static let other = "01932b1c-7a5e-7d11-9c55-000000000002"

    /// An entry of a daemon.
    static func record(
        _ event: EventID?, _ message: String = "", at microseconds: Int64 = 0, ids: [String] = [id],
        unit: String? = "acms-worker.service", _ fields: [String: [String]] = [:]
    ) -> JournalRecord {
        var fields = fields.merging(["MESSAGE": [message], "ACMS_BOOKING_ID": ids]) { $1 }
        if let event { fields["MESSAGE_ID"] = [event.rawValue] }
        if let unit { fields["_SYSTEMD_UNIT"] = [unit] }
        return JournalRecord(received: 1_790_000_000_000_000 + microseconds, fields: fields)
    }

    private func step(_ record: JournalRecord, user: String? = "alice") throws -> (TraceStep.Kind, String) {
        let step = try #require(JournalStory([record], of: Self.id, user: user).steps.first)
        return (step.kind, step.detail)
    }

    static let carl: [String: [String]] = ["ACMS_PEER_LOGIN": ["carl"], "ACMS_PEER_UID": ["1000"]]

    @Test(
        arguments: [
            (.bookingsAccepted, "Accepted a booking.", [:], .accepted, "durable in the queue"),
            (.batchCommitted, "Committed a booking.", [:], .committed, "in the table"),
            (
                .deferred,
                "Deferred a booking until 2026-12-01T10:00:00.000Z after receive 2: The disk: odd.", [:],
                .deferred, "receive 2 failed: The disk: odd; next try at 2026-12-01T10:00:00.000Z"
            ),
            (.deferred, "Deferred a booking after receive 3: x", [:], .deferred, "receive 3 failed: x"),
            (.deferred, "Put off.", [:], .deferred, "Put off."),
            (.crashRecovered, "", [:], .crashed, "the worker died with it in hand; it is tried by itself"),
            (
                .deadLettered, "Set a message aside as a dead letter: Not JSON. It came in x.jsonl.",
                ["ACMS_CLASS": ["POISON"], "ACMS_RECEIVE_COUNT": ["1"]], .deadLettered,
                "POISON at receive 1: Not JSON. It came in x.jsonl."
            ),
            (.lettersRedriven, "Put a dead letter back", carl, .redriven, "by carl (uid 1000)"),
            (.lettersDeleted, "Deleted", ["ACMS_PEER_UID": ["7"]], .deleted, "by uid 7"),
            (.decided, "Booking is now APPROVED, as carl asked.", carl, .approved, "by carl (uid 1000)"),
            (.decided, "Booking is now CANCELLED, as carl asked.", carl, .cancelled, "by carl (uid 1000)"),
            (.decided, "Something else.", carl, .noted, "Something else."),
            (
                .pendingExpired, "Cancelled 3 bookings that nobody had decided for 30 days.", [:], .expired,
                "nobody decided it for 30 days"
            ),
            (nil, "New in a later version.", [:], .noted, "New in a later version."),
        ] as [(EventID?, String, [String: [String]], TraceStep.Kind, String)])
    func `each kind of entry is a step`(
        event: EventID?, message: String, fields: [String: [String]], kind: TraceStep.Kind, detail: String
    ) throws {
        #expect(try step(Self.record(event, message, fields)) == (kind, detail))
    }

    @Test func `of a batch only the booking is told`() throws {
        let ids = (1...10).map { "01932b1c-7a5e-7d11-9c55-0000000000\($0 + 10)" } + [Self.id]
        #expect(
            try step(Self.record(.batchCommitted, ids: ids)) == (.committed, "in the table, with 10 others"))
        #expect(
            try step(Self.record(.batchCommitted, ids: [Self.other, Self.id]))
                == (.committed, "in the table, with another one"))
    }

    @Test func `an approval cancels those that overlap it, and who is who tells the user`() throws {
        let record = Self.record(
            .decided, "Booking is now APPROVED; cancelled 1 that overlap it, as carl asked.",
            ids: [Self.other, Self.id], Self.carl.merging(["ACMS_USER_ID": ["alice"]]) { $1 })
        #expect(try step(record) == (.approved, "by carl (uid 1000); cancelled 1 that overlap it"))
        #expect(
            try step(record, user: "bob") == (.cancelled, "by carl (uid 1000), who approved \(Self.other)"))
        #expect(try step(record, user: nil).0 == .noted)
        let accepted = Self.record(.bookingsAccepted, "", ["ACMS_USER_ID": ["bob"]])
        let story = JournalStory([accepted, record], of: Self.id, user: nil)
        #expect(story.steps.map(\.kind) == [.accepted, .cancelled])
    }

    @Test func `only the daemons are believed`() {
        let records = [
            Self.record(.bookingsAccepted, unit: "acms-front.service"),
            Self.record(.batchCommitted, unit: "user@1000.service"), Self.record(.batchCommitted, unit: nil),
            Self.record(.batchCommitted, unit: nil, ["_UID": ["998"]]),
            Self.record(.lettersDeleted, unit: "user@1000.service", ["_UID": ["998"]]),
        ]
        let story = JournalStory(records, of: Self.id, user: nil, daemons: ["998"])
        #expect(story.steps.map(\.kind) == [.accepted, .committed])
        #expect(JournalStory(records, of: Self.id, user: nil).steps.map(\.kind) == [.accepted])
    }

    @Test func `the trace is told where it is certain`() {
        func trace(_ entries: [(ids: Int, traces: [String])]) -> String? {
            let records = entries.map { entry in
                Self.record(
                    .bookingsAccepted, ids: (0..<entry.ids).map { $0 == 0 ? Self.id : "\($0)" },
                    ["TRACE_ID": entry.traces])
            }
            return JournalStory(records, of: Self.id, user: nil).traceID
        }
        #expect(trace([(1, ["a"])]) == "a")
        #expect(trace([(1, [])]) == nil)
        // One of two bookings has none, and nobody knows which.
        #expect(trace([(2, ["a"])]) == nil)
        #expect(trace([(2, ["a", "b"])]) == nil)
        #expect(trace([(2, ["a", "b"]), (3, ["c", "b", "d"])]) == "b")
        #expect(trace([(2, ["a", "b"]), (5, ["c"])]) == nil)
    }
}
