internal import NIOCore

/// How long a connection may go on waiting for its peer. Pure: told what is awaited and what time it is.
struct Patience {
    /// What a connection waits for.
    enum Wait: Equatable {
        /// Nothing that the peer owes: a call is under way.
        case nothing
        /// The next call.
        case call
        /// The rest of a call.
        case restOfCall
        /// That replies are read.
        case reading
        /// That the peer takes note of the end.
        case end
    }

    /// Nil for never.
    private let idleTime, partialCallTime: TimeAmount?
    private(set) var wait = Wait.call
    private var progress = 0
    private var since: NIODeadline

    init(_ limits: ConnectionLimits, now: NIODeadline) {
        func time(_ duration: Duration) -> TimeAmount? { duration > .zero ? TimeAmount(duration) : nil }
        idleTime = time(limits.idleTimeout)
        partialCallTime = time(limits.partialCallTimeout)
        since = now
    }

    /// - Parameters:
    ///   - wait: what is awaited now.
    ///   - progress: changes whenever the peer has done some of it; bytes alone are none.
    /// - Returns: whether the deadline is another one now.
    mutating func note(_ wait: Wait, progress: Int, now: @autoclosure () -> NIODeadline) -> Bool {
        guard wait != self.wait || progress != self.progress else { return false }
        self.wait = wait
        self.progress = progress
        // Asking for the time isn't free, and a call ends by itself.
        guard wait != .nothing else { return false }
        since = now()
        return true
    }

    /// When patience ends; nil for never.
    var deadline: NIODeadline? {
        switch wait {
        case .nothing: nil
        case .call, .reading: idleTime.map { since + $0 }
        case .restOfCall: partialCallTime.map { since + $0 }
        case .end: since + Connection.lingerTime
        }
    }

    /// The limit that a connection is at whose patience has ended; nil when it would have ended anyway.
    var limit: LimitReached.Limit? {
        switch wait {
        case .nothing, .end: nil
        case .call: .idle
        case .restOfCall: .partialCall
        case .reading: .unreadReplies
        }
    }
}
