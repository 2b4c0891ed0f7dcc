import Dispatch
import Synchronization

/// Runs an actor's jobs one after the other on a thread that may block on disk, so that waiting for a sync never holds
/// up the threads that serve connections.
///
/// They are run in the order they came, but those of tasks of high priority first: what others ask for, however much
/// that is, doesn't hold up the actor's own work.
public final class BlockingExecutor: SerialExecutor {
    private struct Waiting {
        var first = Line<UnownedJob>()
        var others = Line<UnownedJob>()
    }

    private let queue: DispatchQueue
    private let waiting = Mutex(Waiting())
    private let count = Atomic(0)

    /// - Parameter label: names the queue to debuggers.
    public init(label: String) {
        queue = DispatchQueue(label: label, qos: .userInitiated)
    }

    /// Whether a job waits for the end of the present one.
    public var isWanted: Bool { count.load(ordering: .relaxed) > 0 }

    /// Runs `job` after those that came before it, or that are of high priority.
    public func enqueue(_ job: consuming ExecutorJob) {
        let goesFirst = job.priority.rawValue >= TaskPriority.high.rawValue
        let job = UnownedJob(job)
        count.add(1, ordering: .relaxed)
        waiting.withLock { waiting in
            if goesFirst { waiting.first.append(job) } else { waiting.others.append(job) }
        }
        queue.async { [self] in
            // As many times as there are jobs, if not for this one.
            guard let next = waiting.withLock({ $0.first.popFirst() ?? $0.others.popFirst() }) else { return }
            count.subtract(1, ordering: .relaxed)
            next.runSynchronously(on: asUnownedSerialExecutor())
        }
    }
}
