import Bookings
import Glibc

/// How many messages are committed in one transaction while a backlog waits. Pure: times are passed in.
///
/// A sync costs as much for a thousand messages as for one, and a page of an index that many of them change is
/// written once. But whoever calls meanwhile, a caretaker say, waits for the transaction, and a message that fails
/// makes work for its neighbours. So groups begin as one batch, grow while all goes well, are short as long as
/// somebody calls, and begin anew after trouble.
struct GroupSize: Hashable, Sendable {
    /// What a group costs from its receiving to its settling.
    struct Cost: Hashable, Sendable {
        /// Passed by the clock.
        var time: Duration
        /// Spent by the processor; less than the time while a disk is waited for.
        var work: Duration
    }

    static let maximum = 1500
    static let longest = Cost(time: .milliseconds(100), work: .milliseconds(60))
    static let longestWhenWanted = Cost(time: .milliseconds(15), work: .milliseconds(8))
    /// A slow disk makes no group smaller than this: its syncs would cost more than all else.
    static let slowDisk = 100
    /// For how long after a call another is expected.
    static let expectation = Duration.seconds(1)

    private var grown = 0
    private var wantedUntil: Timestamp?

    /// How many messages to take.
    func limit(batchSize: Int) -> Int { max(batchSize, grown) }

    /// Goes back to single batches: something has failed.
    mutating func beginAnew() { grown = 0 }

    /// Learns what a group has cost that was committed whole.
    ///
    /// - Parameters:
    ///   - count: how many messages it had.
    ///   - isWanted: whether somebody waited for its end.
    mutating func note(_ count: Int, _ cost: Cost, isWanted: Bool, batchSize: Int, at time: Timestamp) {
        if isWanted { wantedUntil = time.advanced(by: Self.expectation) }
        let isHurried = wantedUntil.map { time < $0 } ?? false
        let longest = isHurried ? Self.longestWhenWanted : Self.longest
        let byWork = Self.fitting(count, cost.work, into: longest.work)
        let byTime = max(Self.fitting(count, cost.time, into: longest.time), Self.slowDisk)
        let limit = limit(batchSize: batchSize)
        // What few messages have cost says little about many.
        grown = min(byWork, byTime, count >= limit ? limit * 2 : limit, Self.maximum)
    }

    private static func fitting(_ count: Int, _ cost: Duration, into longest: Duration) -> Int {
        Int(min(Double(count) * (longest / max(cost, .microseconds(1))), Double(maximum)))
    }
}

extension GroupSize.Cost {
    private static let start = ContinuousClock.now

    /// What this thread has cost so far.
    static func soFar() -> Self {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Self(
            time: .now - start, work: .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec)))
    }

    static func - (left: Self, right: Self) -> Self {
        Self(time: left.time - right.time, work: left.work - right.work)
    }
}
