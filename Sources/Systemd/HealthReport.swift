public import Logging
import Synchronization

/// Logs how something is that can fail as a whole: when it changes, and not at each try that shows it.
public final class HealthReport: Sendable {
    private struct State {
        var trouble: String?
        var kind: String?
    }

    private let logger: Logger
    private let failure: EventID
    private let recovery: EventID
    private let recovered: String
    private let state = Mutex(State())

    /// Begins healthy.
    ///
    /// - Parameters:
    ///   - failure: the event of a trouble.
    ///   - recovery: the event of its end, and `recovered` its text.
    public init(_ logger: Logger, failure: EventID, recovery: EventID, recovered: String) {
        self.logger = logger
        self.failure = failure
        self.recovery = recovery
        self.recovered = recovered
    }

    /// Why it can't be used; nil while it can.
    public var trouble: String? { state.withLock { $0.trouble } }

    /// Notes what was seen.
    ///
    /// - Parameters:
    ///   - seen: the trouble; nil for none.
    ///   - kind: tells one trouble from another where the text differs from try to try; the text itself if nil.
    /// - Returns: whether that is news.
    @discardableResult
    public func note(_ seen: String?, kind: String? = nil) -> Bool {
        let kind = kind ?? seen
        let (wasHealthy, isNews) = state.withLock { state in
            defer { state = State(trouble: seen, kind: kind) }
            return (state.trouble == nil, state.kind != kind)
        }
        guard isNews else { return false }
        if let seen {
            logger.error("\(seen)", metadata: .event(failure))
        } else if !wasHealthy {
            logger.notice("\(recovered)", metadata: .event(recovery))
        }
        return true
    }
}
