import Bookings
import GRDB
import Support
import Testing

@testable import BookingTable

@Suite struct ApplyTests {
    private let fixture: Fixture
    private var table: SQLiteTable { fixture.table }

    init() throws { fixture = try Fixture() }

    @Test func whatIsAppliedTwiceIsInTheTableOnceAndTheSecondTimeChangesNothing() throws {
        let message = try fixture.message("u")
        #expect(try table.apply([message], deadLettered: 0) == [.committed])
        _ = try table.approve(message.id, at: Timestamp(milliseconds: 1_800_000_000_000))
        let approved = try table.booking(message.id)
        #expect(try table.apply([message], deadLettered: 0) == [.alreadyCommitted])
        #expect(try table.booking(message.id) == approved)
        #expect(try table.totals() == (1, 0))
    }

    @Test func anIDThatBelongsToAnotherBookingIsPoison() throws {
        let first = try fixture.message("u")
        try fixture.commit(first)
        var impostor = try fixture.message("v")
        impostor.id = first.id
        guard case .poison(let reason) = try table.apply([impostor], deadLettered: 0)[0] else {
            Issue.record("not poison")
            return
        }
        #expect(reason.contains(first.id.description))
    }

    @Test func aSecondPendingBookingIsPoisonThatNamesTheFirstAndSparesItsNeighbours() throws {
        let first = try fixture.message("u")
        try fixture.commit(first)
        let outcomes = try table.apply(
            [fixture.message("a"), fixture.message("u"), fixture.message("b")], deadLettered: 2)
        #expect(outcomes[0] == .committed)
        #expect(outcomes[2] == .committed)
        guard case .poison(let reason) = outcomes[1] else {
            Issue.record("\(outcomes[1])")
            return
        }
        #expect(reason.contains(first.id.description))
        #expect(try table.totals() == (3, 2))
    }

    @Test func aBatchMayHoldTheSameMessageTwiceAndTwoOfOneUser() throws {
        let (first, second) = (try fixture.message("u"), try fixture.message("u"))
        let outcomes = try table.apply([first, first, second], deadLettered: 0)
        #expect(outcomes[0] == .committed)
        #expect(outcomes[1] == .alreadyCommitted)
        guard case .poison(let reason) = outcomes[2] else {
            Issue.record("\(outcomes[2])")
            return
        }
        #expect(reason.contains(first.id.description))
        #expect(try table.totals() == (1, 0))
    }

    @Test(arguments: ["ABORT", "FAIL", "ROLLBACK"])
    func aTriggerThatRefusesOneMessageSparesItsNeighbours(how: String) throws {
        try fixture.commit(try fixture.message("first"))
        try fixture.execute(
            """
            CREATE TRIGGER broken BEFORE INSERT ON bookings WHEN NEW.apartmentId = 'B'
            BEGIN SELECT RAISE(\(how), 'no B today'); END
            """)
        let batch = [
            try fixture.message("a"), try fixture.message("b", "B"), try fixture.message("c"),
            try fixture.message("d", "B"), try fixture.message("e"),
        ]
        let outcomes = try table.apply(batch, deadLettered: 0)
        for good in [0, 2, 4] { #expect(outcomes[good] == .committed) }
        for bad in [1, 3] {
            guard case .failed(let reason) = outcomes[bad] else {
                Issue.record("\(outcomes[bad])")
                continue
            }
            #expect(reason.contains("no B today"))
        }
        #expect(try table.totals().committed == 4)
        #expect(try table.committed(among: batch.map(\.id)) == Set([0, 2, 4].map { batch[$0].id }))
    }

    @Test func usersAreComparedByteForByte() throws {
        try fixture.commit(try fixture.message("caf\u{e9}"))
        try fixture.commit(try fixture.message("cafe\u{301}"))
        #expect(try table.totals().committed == 2)
    }

    @Test func everyCommitIsSynced() throws {
        try fixture.commit(try fixture.message("u"))
        // 2 is FULL: the WAL is synced at every commit.
        #expect(try table.pragma("synchronous") == "2")
        #expect(try table.pragma("journal_mode") == "wal")
    }

    @Test func thePersistentWALLetsAReaderInThatMayNotWrite() throws {
        try fixture.commit(try fixture.message("u"))
        close(table)
        #expect(try fixture.directory.names() == ["acms.sqlite", "acms.sqlite-shm", "acms.sqlite-wal"])
        let reader = SQLiteTableReader(path: fixture.path)
        #expect(try reader.verdicts(on: [fixture.message("u").request]) != [.free])
        #expect(throws: TableUnavailable.self) { try reader.write("DELETE FROM bookings") }
        #expect(try reader.verdicts(on: [fixture.message("u").request]) != [.free])
    }
}
