import Bookings
import GRDB
import Testing

@testable import BookingTable

/// Idempotency keys, and bookings that are PENDING for too long.
@Suite struct KeyAndAgeTests {
    private let fixture: Fixture
    private let later = Timestamp(milliseconds: 1_800_000_000_000)
    private var table: SQLiteTable { fixture.table }

    init() throws { fixture = try Fixture() }

    private func verdict(_ message: Message) throws -> TableVerdict? {
        try table.verdicts(on: [message.request]).first
    }

    @Test(arguments: ["PENDING", "APPROVED", "CANCELLED"])
    func aKeyStandsForItsBookingWhateverWasDecided(status: String) throws {
        let id = try fixture.commit(fixture.message("u", key: "k"))
        if status == "APPROVED" { _ = try table.approve(id, at: later) }
        if status == "CANCELLED" { _ = try table.cancel(id, at: later) }
        #expect(try verdict(fixture.message("u", key: "k")) == .repeats(id: "\(id)"))
        #expect(try verdict(fixture.message("u", "B", key: "k")) == .keyReused(id: "\(id)"))
        #expect(try verdict(fixture.message("u", to: "2026-01-21", key: "k")) == .keyReused(id: "\(id)"))
        #expect(try verdict(fixture.message("u", from: "2026-01-09", key: "k")) == .keyReused(id: "\(id)"))
        #expect(try verdict(fixture.message("v", "B", key: "k")) == .free)
        #expect(try verdict(fixture.message("u", "B", key: "K")) == .free)
        #expect(try verdict(fixture.message("u", "B")) == .free)
    }

    @Test func aKeyIsComparedByteForByte() throws {
        let id = try fixture.commit(fixture.message("u", key: "caf\u{e9}"))
        #expect(try verdict(fixture.message("u", key: "caf\u{e9}")) == .repeats(id: "\(id)"))
        #expect(try verdict(fixture.message("u", "B", key: "cafe\u{301}")) == .free)
    }

    @Test func aSecondBookingWithAKeyIsPoisonThatNamesTheFirst() throws {
        let id = try fixture.commit(fixture.message("u", key: "k"))
        guard
            case .poison(let reason) = try table.apply(
                [fixture.message("u", "B", key: "k")], deadLettered: 0)[0]
        else {
            Issue.record("not poison")
            return
        }
        #expect(reason.contains("\(id)"))
        #expect(reason.contains("idempotencyKey"))
        // Without keys, and with one key of two users, there is nothing to clash.
        try fixture.commit(fixture.message("v", "B", key: "k"))
        try fixture.commit(fixture.message("u", "C"))
        try fixture.commit(fixture.message("u", "D"))
    }

    @Test func theOldestPendingBookingsExpireAndNoOthers() throws {
        let day: Int64 = 86_400_000
        let ids = try (0..<6).map { number in
            try fixture.commit(fixture.message("u\(number)", "A\(number)", at: Int64(number) * day))
        }
        _ = try table.approve(ids[0], at: later)
        _ = try table.cancel(ids[1], at: later)
        let limit = Timestamp(milliseconds: 4 * day)
        let first = try table.expirePending(createdBefore: limit, limit: 1, at: later)
        #expect(first.map(\.id) == [ids[2].description])
        #expect(first.map(\.bookingStatus) == [.cancelled])
        #expect(first.map(\.updatedOn) == [later])
        #expect(try table.booking(ids[2]) == first[0])
        #expect(
            try table.expirePending(createdBefore: limit, limit: 9, at: later).map(\.id)
                == [ids[3].description])
        #expect(try table.expirePending(createdBefore: limit, limit: 9, at: later).isEmpty)
        #expect(
            try ids.map { try table.booking($0)?.bookingStatus } == [
                .approved, .cancelled, .cancelled, .cancelled, .pending, .pending,
            ])
    }

    @Test func aTableThatIsBeingMadeHoldsNothingYetAndRefusesNobody() throws {
        let queue = try DatabaseQueue(path: fixture.path)
        try TableSchema.migrator.migrate(queue, upTo: "1: bookings and totals")
        try queue.close()
        let reader = SQLiteTableReader(path: fixture.path)
        #expect(kind { try reader.committed(among: []) } == .missing)
        let id = try fixture.commit(fixture.message("u", key: "k"))
        #expect(try reader.booking(id)?.userId == "u")
    }

    @Test func aTableOfTheFirstFormIsBroughtUpToDateWithAllItHolds() throws {
        let queue = try DatabaseQueue(path: fixture.path)
        try TableSchema.migrator.migrate(queue, upTo: "1: bookings and totals")
        try queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO bookings VALUES ('01a2057f-52e9-7a31-86a5-a73cae814316', 'u', 'A', '2026-01-10',
                      '2026-01-20', 'PENDING', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
                    UPDATE totals SET committed = 1
                    """)
        }
        try queue.close()
        let id = try #require(BookingID("01a2057f-52e9-7a31-86a5-a73cae814316"))
        #expect(throws: TableUnavailable.self) { try SQLiteTableReader(path: fixture.path).booking(id) }
        #expect(try table.booking(id)?.userId == "u")
        #expect(try table.totals() == (1, 0))
        try fixture.commit(fixture.message("u", "B", key: "k"))
        #expect(try SQLiteTableReader(path: fixture.path).booking(id)?.userId == "u")
    }
}
