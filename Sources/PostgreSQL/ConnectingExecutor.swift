import Dispatch

/// A thread for what may block for long: making connections.
final class ConnectingExecutor: Sendable {
    private let queue = DispatchQueue(label: "io.acms.database")

    /// Does something again and again, with growing pauses, until it says that it is done.
    func run(_ body: @escaping @Sendable () -> Bool) { attempt(body, DatabaseLink.firstPause) }

    private func attempt(_ body: @escaping @Sendable () -> Bool, _ pause: Duration) {
        queue.async { [self] in
            if body() { return }
            queue.asyncAfter(deadline: .now() + pause / .seconds(1)) { [self] in
                attempt(body, min(pause * 2, DatabaseLink.longestPause))
            }
        }
    }

    /// Waits for the end of the present try.
    func wait(atMost patience: Duration) {
        let end = DispatchSemaphore(value: 0)
        queue.async { end.signal() }
        _ = end.wait(timeout: .now() + patience / .seconds(1))
    }
}
