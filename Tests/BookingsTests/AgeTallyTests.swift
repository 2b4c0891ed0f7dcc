import Testing

@testable import Bookings

@Suite struct AgeTallyTests {
    private let now = Timestamp(milliseconds: 1_700_000_000_000)

    private func ago(_ seconds: Int) -> Timestamp { now.advanced(by: .seconds(-seconds)) }

    @Test func `messages are counted by name and in the column of their age`() {
        var tally = AgeTally(at: now)
        tally.count("a", since: ago(0))
        tally.count("a", since: ago(1))
        tally.count("b", since: ago(604_800))
        tally.count("b", since: now.advanced(by: .seconds(60)))
        tally.count(nil, since: ago(59))
        let profile = tally.profile(rows: 10)
        #expect(profile.bounds == AgeTally.bounds)
        #expect(profile.total.total == 5 && profile.total.counts == [2, 1, 1, 0, 0, 0, 0, 0, 0, 1])
        #expect(profile.rows.map(\.name) == ["a", "b", nil])
        #expect(profile.rows[0].counts == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(profile.others == nil)
    }

    @Test func `those that have most come first, and the rest is one row`() throws {
        var tally = AgeTally(at: now)
        for number in 1...5 {
            for _ in 0..<number { tally.count("n\(number)", since: ago(number)) }
        }
        let profile = tally.profile(rows: 2)
        #expect(profile.rows.map(\.name) == ["n5", "n4"])
        let others = try #require(profile.others)
        #expect(others.total == 6)
        #expect(profile.total.total == 15)
    }

    @Test func `more names than can be told apart are counted together`() throws {
        var tally = AgeTally(at: now)
        for number in 0..<AgeTally.maximumNames + 7 { tally.count("n\(number)", since: now) }
        tally.count("n0", since: now)
        let profile = tally.profile(rows: 1)
        #expect(profile.rows[0].name == "n0" && profile.rows[0].total == 2)
        #expect(profile.others?.total == AgeTally.maximumNames + 6)
        #expect(profile.total.total == AgeTally.maximumNames + 8)
    }
}
