import Dispatch
import Synchronization

/// Runs the worker's jobs one after the other on a thread that may block, and knows whether others wait.
final class WorkerExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "io.acms.worker", qos: .userInitiated)
    private let waiting = Atomic(0)

    /// Whether a job waits for the end of the present one.
    var isWanted: Bool { waiting.load(ordering: .relaxed) > 0 }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        waiting.add(1, ordering: .relaxed)
        queue.async { [self] in
            waiting.subtract(1, ordering: .relaxed)
            job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }
}
