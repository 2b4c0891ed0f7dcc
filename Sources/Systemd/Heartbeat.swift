/// Shows the service manager at half its watchdog's interval that the daemon is alive, and gives the daemon the
/// occasion to look after what no event tells of. Without a watchdog it beats every 15 seconds.
public struct Heartbeat: Sendable {
    private static let defaultInterval = Duration.seconds(15)

    private let notifier: ServiceNotifier
    private let interval: Duration

    /// - Parameters:
    ///   - notifier: gets the beats.
    ///   - watchdogInterval: the manager's, nil for none.
    public init(_ notifier: ServiceNotifier, watchdogInterval: Duration? = ServiceNotifier.watchdogInterval) {
        self.notifier = notifier
        interval = watchdogInterval.map { $0 / 2 } ?? Self.defaultInterval
    }

    /// Beats until the task is cancelled. A `check` that never returns stops the beats, so that the manager
    /// restarts the daemon.
    public func run(_ check: () async -> Void) async {
        while (try? await Task.sleep(for: interval, tolerance: interval / 4)) != nil {
            await check()
            notifier.watchdog()
        }
    }
}
