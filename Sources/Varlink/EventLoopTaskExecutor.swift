internal import NIOCore

/// Runs tasks on an event loop, in the order in which they become ready.
///
/// With it, a connection's tasks live on the thread that reads and writes its socket, and a call is
/// answered without waking another thread.
final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute {
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
