import Dispatch
import Synchronization

/// Runs an actor's jobs one after the other, in the order they came, on a thread that may block on disk, so that
/// waiting for a sync never holds up the threads that serve connections.
public final class BlockingExecutor: SerialExecutor {
    private let queue: DispatchQueue
    private let waiting = Atomic(0)

    /// - Parameter label: names the queue to debuggers.
    public init(label: String) {
        queue = DispatchQueue(label: label, qos: .userInitiated)
    }

    /// Whether a job waits for the end of the present one.
    public var isWanted: Bool { waiting.load(ordering: .relaxed) > 0 }

    /// Runs `job` after those that came before it.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        waiting.add(1, ordering: .relaxed)
        queue.async { [self] in
            waiting.subtract(1, ordering: .relaxed)
            job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }
}
