import Bookings
import Spool
import Synchronization

extension QueueWorker {
    /// Why `run` returned.
    enum End: Sendable {
        /// Nothing waited and nobody was connected for the idle time.
        case idle
        /// The task was cancelled, or `finish` was called.
        case stopped
    }

    /// Serves the queue until it has been idle for the configured time, or is told to stop.
    ///
    /// - Parameter connections: how many peers are connected now; while there are any, the worker is not idle.
    func run(connections: @escaping @Sendable () -> Int) async -> End {
        let arrivals = watchArrivals()
        let end = await withTaskGroup(of: Void.self) { group in
            if let arrivals {
                group.addTask { [wake] in
                    for await _ in arrivals.wakeUps() {
                        _ = arrivals.drain()
                        wake.yield()
                    }
                }
            }
            let end = await serveWakeUps(connections)
            group.cancelAll()
            return end
        }
        stop()
        return end
    }

    /// Makes `run` return once the batch in hand is settled.
    nonisolated func finish() {
        isStopping.store(true, ordering: .releasing)
        wake.yield()
    }

    /// A peer has come or gone: the idle time begins anew.
    nonisolated func notePeerActivity() {
        hasPeerActivity.store(true, ordering: .releasing)
        wake.yield()
    }

    /// Answers once the loop has nothing else to do: shows that it is alive. Looks for replaced directories and
    /// at entries that could not be taken.
    func heartbeat() {
        watch?.renew()
        retryStuck()
        wake.yield()
    }

    private func watchArrivals() -> SpoolWatch? {
        do {
            watch = try SpoolWatch(directory, places: [.incoming])
        } catch {
            report.spool(
                QueueUnavailable(reason: "The spool can't be watched; new bookings are found late. \(error)"))
        }
        return watch
    }

    private func serveWakeUps(_ connections: @Sendable () -> Int) async -> End {
        let alarm = Alarm(wake)
        defer { alarm.cancel() }
        wake.yield()
        for await _ in wakeUps {
            switch await serve(connections) {
            case .ended(let end): return end
            case .resting(let delay): alarm.set(delay)
            }
        }
        return .stopped
    }

    private enum Rest {
        case ended(End)
        case resting(Duration?)
    }

    /// Works until there is nothing to do.
    private func serve(_ connections: @Sendable () -> Int) async -> Rest {
        while !Task.isCancelled, !isStopping.load(ordering: .acquiring) {
            switch step() {
            case .again:
                idleSince = nil
                // Other callers of this actor get their turn between batches.
                await Task.yield()
            case .wait(let due):
                guard let deadline = idleDeadline(connections()) else {
                    return .resting(due.map { $0.since(now()) })
                }
                if now() >= deadline { return .ended(.idle) }
                return .resting(min(due ?? deadline, deadline).since(now()))
            }
        }
        return .ended(.stopped)
    }

    /// When the worker may end because it is idle; nil while it is not.
    private func idleDeadline(_ connections: Int) -> Timestamp? {
        let hadActivity = hasPeerActivity.exchange(false, ordering: .acquiringAndReleasing)
        guard isIdle, connections == 0, settings.idleExit > .zero, !servesOthers else {
            idleSince = nil
            return nil
        }
        if hadActivity || idleSince == nil { idleSince = now() }
        return idleSince?.advanced(by: settings.idleExit)
    }
}

/// Wakes a loop at a time; setting it anew takes the old time back.
private final class Alarm {
    private let wake: AsyncStream<Void>.Continuation
    private var task: Task<Void, Never>?

    init(_ wake: AsyncStream<Void>.Continuation) {
        self.wake = wake
    }

    /// - Parameter delay: nil for never.
    func set(_ delay: Duration?) {
        cancel()
        guard let delay else { return }
        // Looking once too often does no harm, and a time thousands of years away is more than a clock can take.
        let bounded = min(max(.zero, delay), .seconds(3600))
        task = Task { [wake] in
            // A millisecond more, because times are cut to milliseconds.
            guard (try? await Task.sleep(for: bounded + .milliseconds(1))) != nil else { return }
            wake.yield()
        }
    }

    func cancel() { task?.cancel() }
}
