import Synchronization

/// The daemon's one line in `systemctl status`: sent at most once a second, and the last text never left unsent.
public final class StatusLine: Sendable {
    private struct State {
        var latest = ""
        var sent = ""
        var isWaiting = false
        var lastSent: ContinuousClock.Instant?
    }

    private let notifier: ServiceNotifier
    private let state = Mutex(State())

    /// Sends through `notifier`.
    public init(_ notifier: ServiceNotifier) {
        self.notifier = notifier
    }

    /// Makes `text` the status.
    public func update(_ text: String) {
        let delay: Duration? = state.withLock { state in
            state.latest = text
            guard !state.isWaiting, state.latest != state.sent else { return nil }
            state.isWaiting = true
            guard let lastSent = state.lastSent else { return .zero }
            return max(.zero, .seconds(1) - (.now - lastSent))
        }
        guard let delay else { return }
        if delay == .zero {
            send()
        } else {
            Task {
                try? await Task.sleep(for: delay)
                send()
            }
        }
    }

    private func send() {
        let text = state.withLock { state in
            state.isWaiting = false
            state.lastSent = .now
            state.sent = state.latest
            return state.latest
        }
        notifier.status(text)
    }
}
