import Bookings

/// Keeps the front's knowledge of a queue that hosts share: how much waits in it, and what has become of messages that
/// somebody awaits.
actor SharedWatch {
    private let executor = BlockingExecutor(label: "io.acms.shared-watch")
    /// Jobs run on a thread of their own, which may block.
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let queue: any SharedBookingQueue
    private let acceptance: Acceptance

    /// How long a look at the queue is enough for. Limits are approached no faster than that.
    private static let period = Duration.seconds(1)
    /// Looks are this much longer apart than they take: a long queue takes long to count.
    private static let patience = 20
    /// Hints can be lost.
    private static let looksPerWake = 5

    init(_ queue: any SharedBookingQueue, _ acceptance: Acceptance) {
        self.queue = queue
        self.acceptance = acceptance
    }

    /// Looks until the task is cancelled.
    func run() async {
        var looks = 0
        while !Task.isCancelled {
            let start = ContinuousClock.now
            if let counts = try? queue.counts() { await acceptance.note(counts) }
            looks += 1
            if looks % Self.looksPerWake == 0 { await acceptance.changed(nil) }
            try? await Task.sleep(for: max(Self.period, (ContinuousClock.now - start) * Self.patience))
        }
    }
}
