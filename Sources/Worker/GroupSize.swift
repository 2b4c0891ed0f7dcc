import Glibc

/// How many messages are committed in one transaction while a backlog waits. Pure: times are passed in.
///
/// A sync costs as much for a thousand messages as for one. But whoever calls meanwhile, a caretaker say, waits for
/// the transaction, and a message that fails makes work for its neighbours. So groups begin as one batch, grow while
/// all goes well and fast, and begin anew after trouble.
struct GroupSize: Hashable, Sendable {
    /// What a group may cost.
    struct Cost: Hashable, Sendable {
        /// Passed by the clock.
        var time: Duration
        /// Spent by the processor; less than the time while a disk is waited for.
        var work: Duration
    }

    static let maximum = 1000
    static let longest = Cost(time: .milliseconds(18), work: .milliseconds(10))
    /// A slow disk makes no group smaller than this: its syncs would cost more than all else.
    private static let slowDisk = 250

    private var grown = 0

    /// How many messages to take.
    func limit(batchSize: Int) -> Int { max(batchSize, grown) }

    /// Learns what a group has cost from its receiving to its settling.
    ///
    /// - Parameters:
    ///   - count: how many messages it had.
    ///   - areCommitted: whether each of them went into the table.
    mutating func note(_ count: Int, _ cost: Cost, areCommitted: Bool, batchSize: Int) {
        guard areCommitted else {
            grown = 0
            return
        }
        let limit = limit(batchSize: batchSize)
        if cost.work > Self.longest.work {
            grown = min(limit, count) / 2
        } else if cost.time > Self.longest.time {
            grown = max(min(limit, count) / 2, min(limit, Self.slowDisk))
        } else if count >= limit, cost.work * 2 < Self.longest.work, cost.time * 2 < Self.longest.time {
            grown = min(limit * 2, Self.maximum)
        } else if count >= limit {
            grown = min(limit + limit / 8, Self.maximum)
        }
    }
}

/// Measures what this thread does from its making on.
struct GroupClock {
    private let start = (time: ContinuousClock.now, work: Self.work())

    /// What was spent so far.
    var cost: GroupSize.Cost { .init(time: .now - start.time, work: Self.work() - start.work) }

    private static func work() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }
}
