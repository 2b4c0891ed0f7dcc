import Bookings

/// A breaker in front of something that can fail as a whole: after a failure one probe at a time, with growing
/// pauses, until one succeeds. Pure: time is passed in.
struct Outage: Hashable, Sendable {
    /// Why it is out; nil while it can be used.
    private(set) var reason: String?
    /// No probe before this time.
    private(set) var nextProbe = Timestamp(milliseconds: 0)
    private var pause = Self.firstPause

    static let firstPause = Duration.milliseconds(100)
    static let longestPause = Duration.seconds(5)

    /// Whether a probe must still wait.
    func mustWait(at time: Timestamp) -> Bool {
        // A clock that was set back must not make the outage last.
        reason != nil && time < nextProbe && nextProbe.since(time) <= Self.longestPause
    }

    /// Something tells that it may be over: the next probe needn't wait.
    mutating func mayBeOver() { nextProbe = Timestamp(milliseconds: 0) }

    mutating func failed(_ reason: String, at time: Timestamp) {
        self.reason = reason
        nextProbe = time.advanced(by: pause)
        pause = min(pause * 2, Self.longestPause)
    }

    mutating func succeeded() {
        reason = nil
        pause = Self.firstPause
    }
}
