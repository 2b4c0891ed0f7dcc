import Synchronization

/// The daemon's one line in `systemctl status`: sent at most once a second, and the last text never left unsent.
public final class StatusLine: Sendable {
    private struct State {
        var latest: @Sendable () -> String = { "" }
        var sent = ""
        var isWaiting = false
        var lastLook: ContinuousClock.Instant?
    }

    private let notifier: ServiceNotifier
    private let state = Mutex(State())

    /// Sends through `notifier`.
    public init(_ notifier: ServiceNotifier) {
        self.notifier = notifier
    }

    /// Makes `text` the status. It is only made up when it is about to be sent.
    public func update(_ text: @autoclosure @escaping @Sendable () -> String) {
        let delay: Duration? = state.withLock { state in
            state.latest = text
            guard !state.isWaiting else { return nil }
            state.isWaiting = true
            guard let lastLook = state.lastLook else { return .zero }
            return max(.zero, .seconds(1) - (.now - lastLook))
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
        let latest = state.withLock { state in
            state.isWaiting = false
            state.lastLook = .now
            return state.latest
        }
        let text = latest()
        let isNews = state.withLock { state in
            defer { state.sent = text }
            return state.sent != text
        }
        if isNews { notifier.status(text) }
    }
}
