import Bookings
import GRDB
import Testing

@testable import BookingTable

@Suite struct ListTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    @Test(arguments: [1, 2, 3, 7, 100])
    func pagesJoinToTheWholeListNewestFirst(limit: Int) throws {
        var expected: [String] = []
        // Several bookings share a time, so that pages end between them.
        for number in 0..<7 {
            let time = 1_700_000_000_000 + Int64(number / 3)
            expected.insert(try fixture.commit(fixture.message("u\(number)", at: time)).description, at: 0)
        }
        try fixture.commit(try fixture.message("u0", "elsewhere"))
        let reader = SQLiteTableReader(path: fixture.path)
        var found: [Booking] = []
        var token: String?
        repeat {
            let page = try reader.bookings(of: .apartment("A"), status: nil, limit: limit, after: token)
            #expect(page.items.count <= limit)
            found += page.items
            token = page.nextToken
        } while token != nil
        #expect(found.map(\.createdOn) == found.map(\.createdOn).sorted(by: >))
        #expect(Set(found.map(\.id)) == Set(expected))
        #expect(found.count == 7)
    }

    @Test func onlyTheStatusAskedForIsListed() throws {
        let first = try fixture.commit(try fixture.message("u"))
        try fixture.commit(try fixture.message("u", "B"))
        _ = try fixture.table.cancel(first, at: Timestamp(milliseconds: 0))
        let reader = SQLiteTableReader(path: fixture.path)
        let page = try reader.bookings(of: .user("u"), status: .cancelled, limit: 10, after: nil)
        #expect(page.items.map(\.id) == [first.description])
        #expect(try reader.bookings(of: .user("u"), status: nil, limit: 10, after: nil).items.count == 2)
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func aUsersPagesJoinWhatIsDecidedAndWhatIsNot(limit: Int) throws {
        var expected: [String] = []
        for number in 0..<9 {
            let time = 1_700_000_000_000 + Int64(number / 2)
            let id = try fixture.commit(fixture.message("u", "A\(number)", at: time))
            if number % 3 == 1 { _ = try fixture.table.cancel(id, at: Timestamp(milliseconds: time)) }
            expected.insert(id.description, at: 0)
        }
        let reader = SQLiteTableReader(path: fixture.path)
        var found: [Booking] = []
        var token: String?
        repeat {
            let page = try reader.bookings(of: .user("u"), status: nil, limit: limit, after: token)
            #expect(page.items.count <= limit)
            found += page.items
            token = page.nextToken
        } while token != nil
        #expect(found.map(\.id) == expected)
        let pending = try reader.bookings(of: .user("u"), status: .pending, limit: 100, after: nil)
        #expect(pending.items.map(\.id) == found.filter { $0.bookingStatus == .pending }.map(\.id))
    }

    @Test(arguments: ["", "x", "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z/none", "//"])
    func aTokenThatNoPageGaveIsRefused(token: String) throws {
        try fixture.commit(try fixture.message("u"))
        #expect(throws: InvalidPageToken.self) {
            try fixture.table.bookings(of: .user("u"), status: nil, limit: 10, after: token)
        }
    }

    @Test func everyQueryUsesAnIndex() throws {
        try fixture.commit(try fixture.message("u"))
        let plans = try fixture.table.plans()
        #expect(plans.count == 21)
        for (query, plan) in plans {
            #expect(plan.contains { $0.hasPrefix("SEARCH bookings") }, "\(query): \(plan)")
            #expect(!plan.contains { $0.hasPrefix("SCAN") }, "\(query): \(plan)")
            // Sorted are a user's undecided bookings, at most one an apartment, and those of one time.
            let isOfPendingUser = plan.contains { $0.contains("INDEX onePendingBooking (userId=?)") }
            let isSorted = plan.contains { $0.contains("TEMP B-TREE") && !$0.contains("OF ORDER BY") }
            #expect(!isSorted || isOfPendingUser, "\(query): \(plan)")
        }
    }
}
