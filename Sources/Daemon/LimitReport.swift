import Bookings
import Logging
import Synchronization
import Systemd
import Varlink

/// Tells the log whose connections were closed because of a limit: one entry for many, as whoever is at a limit is
/// there again and again.
final class LimitReport: Sendable {
    /// How long after an entry about a limit the next one may come.
    static let interval = Duration.seconds(30)

    private struct State {
        var limits = ServerLimits()
        /// When an entry about each limit may be written again, and how many weren't.
        var entries: [LimitReached.Limit: (next: ContinuousClock.Instant, silent: Int)] = [:]
    }

    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    /// - Parameters:
    ///   - logger: gets the events.
    ///   - now: the present time.
    init(_ logger: Logger, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.logger = logger
        self.now = now
    }

    /// Takes new limits over, and says so where the configuration asks for more than there are descriptors for.
    func reconfigure(_ limits: ServerLimits, _ settings: Settings.Server) {
        state.withLock { $0.limits = limits }
        guard limits.maximumConnections < settings.maxConnections else { return }
        logger.info(
            "At most \(limits.maximumConnections) connections are served, not \(settings.maxConnections), because of the limit of open files (LimitNOFILE=)."
        )
    }

    /// A connection was closed.
    func reached(_ event: LimitReached) {
        // This is how a forgotten connection is meant to end.
        if case .idle = event.limit { return logger.debug("\(text(event))") }
        let time = now()
        let silent: Int? = state.withLock { state in
            let entry = state.entries[event.limit]
            if let entry, time < entry.next {
                state.entries[event.limit] = (entry.next, entry.silent + 1)
                return nil
            }
            state.entries[event.limit] = (time + Self.interval, 0)
            return entry?.silent ?? 0
        }
        guard let silent else { return }
        let others = silent == 0 ? "" : " \(silent) others since the last such entry."
        logger.warning(
            "\(text(event))\(others)",
            metadata: .event(
                .connectionLimit,
                [
                    "peer-uid": .stringConvertible(event.peer.uid),
                    "peer-pid": .stringConvertible(event.peer.pid),
                ]))
    }

    private func text(_ event: LimitReached) -> String {
        let limits = state.withLock { $0.limits }
        let reason =
            switch event.limit {
            case .connections:
                "\(limits.maximumConnections) connections are open (server.max-connections, LimitNOFILE=)."
            case .connectionsPerUser:
                "it has \(limits.maximumConnectionsPerUser) connections open (server.max-connections-per-uid)."
            case .bytesInFlight:
                "connections hold \(limits.maximumBytesInFlight) bytes in calls and replies, and it held much of that (server.max-bytes-in-flight)."
            case .partialCall:
                "it didn't finish a call in time (server.partial-call-timeout-seconds)."
            case .unreadReplies:
                "it didn't read its replies in time (server.idle-timeout-seconds)."
            case .idle:
                "it made no call for so long (server.idle-timeout-seconds)."
            }
        return "Closed a connection of uid \(event.peer.uid): \(reason)"
    }
}
