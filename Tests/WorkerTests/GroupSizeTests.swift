import Bookings
import Testing

@testable import Worker

@Suite struct GroupSizeTests {
    private let now = Timestamp(milliseconds: 1_700_000_000_000)

    /// What `count` messages cost at so many microseconds each, and a sync.
    private func cost(_ count: Int, microseconds: Int, sync: Duration = .zero) -> GroupSize.Cost {
        let work = Duration.microseconds(count * microseconds)
        return .init(time: work + sync, work: work)
    }

    private func grown(_ rounds: Int, microseconds: Int, sync: Duration = .zero, isWanted: Bool = false)
        -> Int
    {
        var size = GroupSize()
        for _ in 0..<rounds {
            let count = size.limit(batchSize: 10)
            size.note(
                count, cost(count, microseconds: microseconds, sync: sync), isWanted: isWanted, batchSize: 10,
                at: now)
        }
        return size.limit(batchSize: 10)
    }

    @Test func aBacklogIsTakenInGroupsThatDoubleUpToTheGreatest() {
        #expect(grown(0, microseconds: 20) == 10)
        #expect(grown(1, microseconds: 20) == 20)
        #expect(grown(3, microseconds: 20) == 80)
        #expect(grown(20, microseconds: 20) == GroupSize.maximum)
    }

    @Test func groupsAreAsLongAsMayBeAndShorterWhileSomebodyCalls() {
        #expect(grown(20, microseconds: 100) == 600)
        #expect(grown(20, microseconds: 100, isWanted: true) == 80)
    }

    @Test func aCallShortensTheGroupsOfTheNextSecondOnly() {
        var size = GroupSize()
        for _ in 0..<20 {
            let count = size.limit(batchSize: 10)
            size.note(count, cost(count, microseconds: 100), isWanted: false, batchSize: 10, at: now)
        }
        size.note(600, cost(600, microseconds: 100), isWanted: true, batchSize: 10, at: now)
        #expect(size.limit(batchSize: 10) == 80)
        let soon = now.advanced(by: .milliseconds(900))
        size.note(80, cost(80, microseconds: 100), isWanted: false, batchSize: 10, at: soon)
        #expect(size.limit(batchSize: 10) == 80)
        let later = now.advanced(by: .milliseconds(1000))
        size.note(80, cost(80, microseconds: 100), isWanted: false, batchSize: 10, at: later)
        #expect(size.limit(batchSize: 10) == 160)
    }

    @Test func aSlowDiskDoesNotMakeGroupsSmall() {
        #expect(grown(20, microseconds: 20, sync: .seconds(1)) == GroupSize.slowDisk)
    }

    @Test func aHeavyBatchIsNeverMadeSmallerThanOne() {
        #expect(grown(20, microseconds: 1_000_000) == 10)
    }

    @Test func theEndOfABacklogSaysNothingAboutLargerGroups() {
        var size = GroupSize()
        size.note(3, cost(3, microseconds: 20), isWanted: false, batchSize: 10, at: now)
        #expect(size.limit(batchSize: 10) == 10)
    }

    @Test func afterTroubleGroupsAreSingleBatchesAgain() {
        var size = GroupSize()
        for _ in 0..<5 {
            let count = size.limit(batchSize: 10)
            size.note(count, cost(count, microseconds: 20), isWanted: false, batchSize: 10, at: now)
        }
        size.beginAnew()
        #expect(size.limit(batchSize: 10) == 10)
    }
}
