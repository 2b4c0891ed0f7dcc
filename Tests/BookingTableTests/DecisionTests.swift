import Bookings
import GRDB
import Testing

@testable import BookingTable

@Suite struct DecisionTests {
    private let fixture: Fixture
    private let later = Timestamp(milliseconds: 1_800_000_000_000)
    private var table: SQLiteTable { fixture.table }

    init() throws { fixture = try Fixture() }

    @Test func approvingCancelsWhatOverlapsAndSparesWhatTouches() throws {
        let chosen = try fixture.commit(fixture.message("u"))
        let inside = try fixture.commit(fixture.message("v", from: "2026-01-12", to: "2026-01-13"))
        let across = try fixture.commit(fixture.message("w", from: "2026-01-19", to: "2026-02-01"))
        let before = try fixture.commit(fixture.message("x", from: "2026-01-01", to: "2026-01-10"))
        let after = try fixture.commit(fixture.message("y", from: "2026-01-20", to: "2026-01-21"))
        let elsewhere = try fixture.commit(fixture.message("z", "B"))
        guard case .decided(let booking, let cancelled) = try table.approve(chosen, at: later) else {
            Issue.record("not approved")
            return
        }
        #expect(booking.bookingStatus == .approved)
        #expect(booking.updatedOn == later)
        #expect(cancelled.map(\.id) == [inside, across].map(\.description))
        for id in [inside, across] { #expect(try table.booking(id)?.bookingStatus == .cancelled) }
        for id in [before, after, elsewhere] { #expect(try table.booking(id)?.bookingStatus == .pending) }
    }

    @Test func anOverlapWithAnApprovedBookingIsRefused() throws {
        let first = try fixture.commit(fixture.message("u"))
        _ = try table.approve(first, at: later)
        let second = try fixture.commit(fixture.message("v", from: "2026-01-19", to: "2026-01-25"))
        let approved = try #require(try table.booking(first))
        #expect(try table.approve(second, at: later) == .notAvailable(approved))
        #expect(try table.booking(second)?.bookingStatus == .pending)
        // Nor can anybody else who may write do it.
        #expect(throws: DatabaseError.self) {
            try fixture.execute("UPDATE bookings SET bookingStatus = 'APPROVED' WHERE id = '\(second)'")
        }
    }

    @Test func onlyWhatIsUndecidedCanBeApprovedAndOnlyWhatIsNotCancelledCanBeCancelled() throws {
        let id = try fixture.commit(fixture.message("u"))
        #expect(try table.approve(.derived(fileName: "none", line: 1), at: later) == .notFound)
        _ = try table.approve(id, at: later)
        #expect(try table.approve(id, at: later) == .wrongStatus(.approved))
        guard case .decided(let booking, []) = try table.cancel(id, at: later) else {
            Issue.record("not cancelled")
            return
        }
        #expect(booking.bookingStatus == .cancelled)
        #expect(try table.cancel(id, at: later) == .wrongStatus(.cancelled))
    }

    @Test func verdictsNameTheBookingThatStandsAgainstARequest() throws {
        let pending = try fixture.commit(fixture.message("u"))
        let approved = try fixture.commit(fixture.message("v", "B"))
        _ = try table.approve(approved, at: later)
        let requests = [
            try fixture.message("u", from: "2030-01-01", to: "2030-01-02"), try fixture.message("w", "B"),
            try fixture.message("w", "B", from: "2026-01-20", to: "2026-01-22"),
            try fixture.message("u", "C"),
        ].map(\.request)
        #expect(
            try SQLiteTableReader(path: fixture.path).verdicts(on: requests) == [
                .pendingExists(id: pending.description),
                .notAvailable(id: approved.description, startDate: "2026-01-10", endDate: "2026-01-20"),
                .free, .free,
            ])
    }
}
