import Bookings

/// What becomes of a message after a try. Pure: time and chance are passed in.
struct RetryPolicy: Hashable, Sendable {
    /// At this receive a message that failed becomes a dead letter.
    let maximumReceiveCount: Int
    /// The delay after the first failed try.
    let initialDelay: Duration
    /// The longest delay.
    let maximumDelay: Duration

    init(_ settings: Settings.Worker) {
        maximumReceiveCount = settings.maxReceiveCount
        initialDelay = settings.retryInitial
        maximumDelay = settings.retryMaximum
    }

    /// After a try that failed: deferred with exponential backoff, or dead at the last receive.
    ///
    /// - Parameter chance: 0 to 1, spreads the delay by a fifth to both sides, so that messages that failed
    ///   together don't come back together.
    func afterFailure(_ message: Message, reason: String, at time: Timestamp, chance: Double) -> Settlement {
        let tried = message.tried(.init(on: time, class: Attempt.failed, reason: reason))
        guard tried.receiveCount >= maximumReceiveCount else {
            return .deferred(tried.due(time.advanced(by: delay(after: tried.receiveCount, chance: chance))))
        }
        return .dead(
            .exhausted, reason: "Failed at each of \(tried.receiveCount) receives; at the last: \(reason)",
            attempts: tried.attempts, receiveCount: tried.receiveCount)
    }

    /// After the worker died with the message in hand: tried again at once, by itself; from the second time on
    /// with backoff; dead at the last receive.
    func afterCrash(_ message: Message, at time: Timestamp, chance: Double) -> Settlement {
        let reason = "The worker died while it had this message in hand."
        let tried = message.tried(.init(on: time, class: Attempt.crash, reason: reason))
        guard tried.receiveCount >= maximumReceiveCount else {
            // A redriven message's count begins anew, while its history stays.
            let crashes = tried.attempts.suffix(tried.receiveCount).count { $0.class == Attempt.crash }
            return .deferred(
                tried.due(crashes == 1 ? time : time.advanced(by: delay(after: crashes - 1, chance: chance))))
        }
        return .dead(
            .crash,
            reason: "The worker died at each of the last tries; it was received \(tried.receiveCount) times.",
            attempts: tried.attempts, receiveCount: tried.receiveCount)
    }

    /// A message that can never be committed.
    func poison(
        _ reason: String, attempts: [Attempt], receiveCount: Int, at time: Timestamp
    ) -> Settlement {
        // It may quote what anybody has written, and stands in the letter's head, the log and events.
        let reason = reason.cut(toBytes: Attempt.reasonBytes)
        return .dead(
            .poison, reason: reason,
            attempts: attempts + [Attempt(on: time, class: Attempt.poison, reason: reason)],
            receiveCount: receiveCount + 1)
    }

    /// Doubles from the initial delay to the maximum.
    func delay(after failures: Int, chance: Double) -> Duration {
        var delay = initialDelay
        for _ in 1..<max(1, failures) where delay < maximumDelay { delay *= 2 }
        let spread = min(delay, maximumDelay) * (0.8 + 0.4 * chance)
        // Times are kept in whole milliseconds.
        return min(.milliseconds(Int64((spread / .milliseconds(1)).rounded())), maximumDelay)
    }
}

extension Message {
    /// As many as the largest receive count that can be configured, so that a message whose tries are redriven
    /// again and again never outgrows a line of the spool.
    private static var keptAttempts: Int { 1000 }

    fileprivate func tried(_ attempt: Attempt) -> Message {
        var attempt = attempt
        attempt.reason = attempt.reason.cut(toBytes: Attempt.reasonBytes)
        var tried = self
        tried.receiveCount += 1
        tried.attempts = (tried.attempts + [attempt]).suffix(Self.keptAttempts)
        return tried
    }

    fileprivate func due(_ time: Timestamp) -> Message {
        var due = self
        due.notBefore = time
        return due
    }
}

extension Attempt {
    /// Longest reason that is kept, in bytes.
    fileprivate static var reasonBytes: Int { 512 }
}
