import Bookings
import Daemon
import Glibc
import Logging
import Spool
import Synchronization
import Systemd
import Varlink

/// Accepts bookings: one loop on one thread that may block, so that what it knows needs no lock.
///
/// Requests wait in an inbox while a group is made durable; all that wait then become the next group. This is
/// group commit: one sync serves everybody who waits. Where a sync is slow, those who were just answered get a
/// moment to call again: else they and those who waited meanwhile would take turns, each with a sync of their own.
actor Acceptance {
    /// Why a request was refused.
    typealias Refusal = ErrorReply

    /// Takes the answers to the requests of one call, one a request, in order, and may add replies to those that go
    /// out together.
    typealias Answer = @Sendable ([Result<BookingID, Refusal>], inout ReplyBatch) -> Void

    /// Requests of one call that wait for their answers.
    struct Submission {
        let requests: [BookingRequest]
        /// The traces that they belong to, one a request; empty when they belong to none.
        var traces: [TraceParent?] = []
        let peer: Peer
        /// The ids that the messages get, one a request; empty for new ones.
        var ids: [BookingID] = []
        /// The numbers of those that may be in the shared queue already: what refuses them now is not certain.
        var undecided: Set<Int> = []
        let received = ContinuousClock.now
        let answer: Answer
    }

    /// A sync that takes at least so long is worth waiting for more to share it, for this part of its time.
    private static let slowSync = Duration.microseconds(400)
    private static let sharePatience = 8

    /// Most messages in one file. A larger group would keep its first caller waiting for its last.
    static let maximumGroup = 1024
    /// Most messages of one peer in a file, where more wait than fit and there are others: a peer with thousands of
    /// calls under way would make each group take long, which others wait for.
    static let share = 256

    private let executor = BlockingExecutor(label: "io.acms.acceptance")
    /// Jobs run on a thread of their own, which may block.
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private nonisolated let isStopping = Atomic(false)
    private nonisolated let inbox = Mutex<[Submission]>([])
    nonisolated let wake: AsyncStream<Void>.Continuation
    private nonisolated let wakeUps: AsyncStream<Void>

    /// Calls that didn't fit into the last group.
    private var turns = Turns<Submission>()
    /// Until when each peer gets a share of a group only: several have called at once.
    private var sharedUntil = ContinuousClock.now
    private let spool: SpoolProducer
    /// The queue that hosts share; nil where the spool is the queue.
    let shared: (any SharedBookingQueue)?
    /// Whether bookings go into the spool while the shared queue can't take them.
    let buffers: Bool
    var undecided: [Undecided] = []
    /// How long a call waits to learn what has become of it, when the connection broke.
    let undecidedPatience: Duration
    /// How much was in the shared queue at the last look, and how much waits there since, as far as this front knows.
    var sharedCounts = QueueCounts()
    var sharedWaiting = 0
    var producer: any BookingQueueProducer { spool }
    let table: any BookingQueries
    let report: FrontReport
    let now: @Sendable () -> Timestamp
    var limits: Settings.Spool
    var backpressure = Backpressure()
    var ids = BookingIDGenerator()
    /// The last group: when it was durable, how long that took, and how many calls can be expected by now.
    private var last: (end: ContinuousClock.Instant, sync: Duration, expected: Int)?
    var known: KnownQueue
    /// What waits for longest, and until when that needn't be looked for again: all entries must be gone through.
    var oldest: (time: Timestamp?, until: ContinuousClock.Instant) = (nil, .now)
    /// Whether what only the spool's journal held was put back: without that the queue isn't known.
    private var isPrepared = false

    /// - Parameters:
    ///   - settings: the spool and its limits.
    ///   - table: the table, to read; with a shared queue, what of it can be known without that.
    ///   - shared: the queue that hosts share; nil where the spool is the queue.
    ///   - buffers: whether bookings go into the spool while the shared queue can't take them.
    ///   - undecidedPatience: how long a call waits to learn what has become of it, when the connection broke.
    ///   - files: the spool's file system, to write.
    ///   - now: the present time.
    init(
        _ settings: Settings.Spool, table: any BookingQueries, report: FrontReport,
        shared: (any SharedBookingQueue)? = nil, buffers: Bool = false,
        // Within what callers and their timeouts bear.
        undecidedPatience: Duration = .seconds(15),
        files: any FileSystem = LocalFileSystem(),
        now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) throws(SpoolError) {
        let directory = SpoolDirectory(root: settings.directory)
        limits = settings
        // Where the table can't be read, messages are put back that may be in it; there they are no-ops.
        spool = SpoolProducer(directory, files: files) { ids in (try? table.committed(among: ids)) ?? [] }
        self.table = table
        self.shared = shared
        self.buffers = buffers
        self.undecidedPatience = undecidedPatience
        self.report = report
        self.now = now
        known = try KnownQueue(directory)
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes new limits over.
    func reconfigure(_ settings: Settings.Spool) {
        limits = settings
        wake.yield()
    }

    /// Accepts until the task is cancelled.
    ///
    /// - Parameter prepared: called once the queue is known.
    func run(prepared: @Sendable () -> Void) async {
        observe()
        prepared()
        let watched = known.wakeUps()
        await withDiscardingTaskGroup { group in
            group.addTask { [wake] in for await _ in watched { wake.yield() } }
            for await _ in wakeUps {
                if isStopping.load(ordering: .acquiring) { known.stopAwaiting() }
                gather()
                let group = nextGroup()
                if let shared, !group.isEmpty || !undecided.isEmpty {
                    acceptShared(group, into: shared)
                } else if group.isEmpty {
                    observe()
                } else {
                    accept(group)
                }
                if !turns.isEmpty || inbox.withLock({ !$0.isEmpty }) { wake.yield() }
            }
            group.cancelAll()
        }
        // Nobody is left without an answer, should the task have been cancelled while calls wait.
        giveUpUndecided()
        let waiting = turns.removeAll() + takeInbox()
        let reason = "acms-frontd stops; call again."
        let refusal = ErrorReply(BookingsInterface.StorageUnavailable(reason: reason))
        var replies = ReplyBatch()
        for submission in waiting {
            submission.answer(submission.requests.map { _ in .failure(refusal) }, &replies)
        }
        replies.send()
        spool.finish()
    }

    /// Waits a moment for those who were just answered, where a sync is slow.
    private func gather() {
        guard let last, last.sync >= Self.slowSync, turns.isEmpty else { return }
        self.last = nil
        let deadline = last.end + last.sync / Self.sharePatience
        while ContinuousClock.now < deadline, inbox.withLock({ !$0.isEmpty && $0.count < last.expected }) {
            // This thread may block, and a task's timer would cost more than the wait.
            usleep(20)
        }
    }

    /// Takes the calls whose requests make a group; at least one. Where more wait than fit, each peer gets its turn.
    private func nextGroup() -> [Submission] {
        let arrived = takeInbox()
        let isShared = ContinuousClock.now < sharedUntil
        let room = isShared ? Self.share : Self.maximumGroup
        if turns.isEmpty, arrived.reduce(0, { $0 + $1.requests.count }) <= room { return arrived }
        for submission in arrived { turns.add(submission, of: submission.peer) }
        if turns.callers > 1 { sharedUntil = .now + .seconds(1) }
        return turns.next(room: Self.maximumGroup, share: isShared ? Self.share : .max) { $0.requests.count }
    }

    private func takeInbox() -> [Submission] {
        inbox.withLock { inbox in
            let arrived = inbox
            inbox = []
            // About as many come again.
            inbox.reserveCapacity(min(arrived.count, Self.maximumGroup))
            return arrived
        }
    }

    /// Makes requests wait for the next group.
    ///
    /// - Parameters:
    ///   - traces: the traces that they belong to, one a request; empty when they belong to none.
    ///   - answer: called once each is durable or refused.
    nonisolated func submit(
        _ requests: [BookingRequest], traces: [TraceParent?] = [], from peer: Peer,
        answer: @escaping Answer
    ) {
        let isFirst = inbox.withLock { inbox in
            inbox.append(Submission(requests: requests, traces: traces, peer: peer, answer: answer))
            return inbox.count == 1
        }
        // Who finds others waiting need not wake the loop: it looks again after each group.
        if isFirst { wake.yield() }
    }

    /// Where a message waits, as far as the spool shows now; nil when it is not in the queue.
    func location(of id: BookingID) throws(QueueUnavailable) -> SpoolEntry? {
        try look()
        return known.index.entry(of: id)
    }

    /// Answers once the loop has nothing else to do: shows that it is alive. Looks for replaced directories.
    func heartbeat() {
        known.renewWatches()
        observe()
    }

    /// Each change of a message from now on, until `stopAwaiting` is called with the number.
    func changes(of id: BookingID) -> (number: Int, changes: AsyncStream<Void>) {
        defer { if isStopping.load(ordering: .acquiring) { known.stopAwaiting() } }
        return known.changes(of: id)
    }

    /// Ends what `changes` gave.
    func stopAwaiting(_ id: BookingID, _ number: Int) { known.stopAwaiting(id, number) }

    /// Ends all that `changes` gave or will give: the daemon stops.
    nonisolated func finishAwaiting() {
        isStopping.store(true, ordering: .releasing)
        wake.yield()
    }

    private func prepare() throws(QueueUnavailable) {
        // Nothing is written into the spool.
        if shared != nil, !buffers { return }
        guard !isPrepared else { return }
        defer { report.found(spool.takeLeftovers()) }
        do {
            try spool.prepare()
        } catch {
            report.spoolWriting(error)
            throw error
        }
        isPrepared = true
        report.spoolWriting(nil)
    }

    private func observe() {
        try? refresh()
        report.queued(known.index.count + sharedWaiting)
        // The shared queue's room is seen when it is counted.
        if shared != nil { return }
        // The queue has room again though nobody asks.
        if backpressure.since != nil, let room = try? room(), backpressure.isOver(room) { hasRoom() }
    }

    func accept(_ submissions: [Submission]) {
        var group = AcceptanceGroup(submissions.map(\.requests.count))
        do {
            try decide(submissions, &group)
            let start = ContinuousClock.now
            try enqueue(group.messages)
            let end = ContinuousClock.now
            if !group.messages.isEmpty { report.metrics.syncDuration.record(end - start) }
            last = (end, end - start, submissions.count + turns.count + inbox.withLock { $0.count })
        } catch {
            group.fail(with: ErrorReply(BookingsInterface.StorageUnavailable(reason: error.reason)))
        }
        var replies = ReplyBatch()
        let answers = zip(submissions, group.answers).map { $0.admittingDoubt($1) }
        for (submission, answers) in zip(submissions, answers) { submission.answer(answers, &replies) }
        // First the log: its line is to stand before the worker's of the commit, and no answered call is without one.
        report.found(spool.takeLeftovers())
        if !group.hasFailed { report.accepted(group.messages, queued: known.index.count) }
        let now = ContinuousClock.now
        replies.send()
        report.answered(submissions, answers, at: now)
        if !group.hasFailed { report.tell(group.messages) }
    }

    /// Learns what the spool holds; beside a shared queue that is the buffer, and files that were put in by hand.
    func look() throws(QueueUnavailable) {
        do {
            try refresh()
        } catch {
            throw QueueUnavailable(reason: error.reason)
        }
    }

    func refresh() throws(StorageTrouble) {
        if shared != nil, !buffers {
            // Nothing was accepted into it. Whoever puts files in has them judged by the worker.
            try? known.refresh()
            return
        }
        do throws(QueueUnavailable) {
            try prepare()
        } catch {
            throw StorageTrouble(reason: error.reason)
        }
        do {
            try known.refresh()
            report.spoolReading(nil)
        } catch {
            report.spoolReading(error)
            throw StorageTrouble(reason: error.reason)
        }
    }

    private func enqueue(_ group: [Message]) throws(StorageTrouble) {
        guard let name = SpoolProducer.fileName(of: group) else { return }
        let bound = group.reduce(0) { $0 + producer.maximumBytes(of: $1.request) }
        known.claim(group, as: name, bytes: bound)
        do {
            known.resize(name, bytes: try producer.enqueue(group))
            report.spoolWriting(nil)
        } catch {
            known.disclaim(name)
            report.spoolWriting(error)
            throw StorageTrouble(reason: error.reason)
        }
    }
}

/// The spool or the table can't be used; nothing was accepted.
struct StorageTrouble: Error {
    let reason: String
}
