import Synchronization

/// Ends a task that waits too long for a reply.
final class ReplyTimer: Sendable {
    struct TimedOut: Error {
        let after: Duration
    }

    private let timeout: Duration?
    /// Nil while nobody waits.
    private let waitingSince = Mutex<ContinuousClock.Instant?>(.now)

    /// - Parameter timeout: nil for ever.
    init(timeout: Duration?) {
        self.timeout = timeout
    }

    func pause() { waitingSince.withLock { $0 = nil } }
    func restart() { waitingSince.withLock { $0 = .now } }

    /// Runs `body`, which is cancelled once it has waited too long.
    func guarding<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
        try await withThrowingTaskGroup(of: R.self) { group in
            group.addTask(operation: body)
            if let timeout {
                group.addTask { try await self.watch(timeout) }
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }

    private func watch(_ timeout: Duration) async throws -> Never {
        while true {
            let start = waitingSince.withLock { $0 } ?? .now
            if ContinuousClock.now - start >= timeout { throw TimedOut(after: timeout) }
            try await Task.sleep(until: start + timeout)
        }
    }
}
