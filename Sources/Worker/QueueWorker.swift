import Bookings
import Daemon
import Spool
import Synchronization

/// Takes the queue to the table: one loop on one thread that may block.
///
/// `run` owns time and wake-ups and calls `step`, which does one thing: a batch, a probe, a recovery. Messages
/// that the table can't take are charged; trouble with the table or the spool as a whole charges nobody.
actor QueueWorker {
    /// What a step left to do.
    enum Next: Equatable {
        /// There is more to do now.
        case again
        /// Nothing before this time; nil when nothing is known to come.
        case wait(until: Timestamp?)
    }

    private let executor = BlockingExecutor(label: "io.acms.worker")
    /// Jobs run on a thread of their own, which may block.
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    let directory: SpoolDirectory
    let reader: any BookingQueueReader
    let table: any BookingTable
    let report: WorkerReport
    let now: @Sendable () -> Timestamp
    /// Chance, from 0 to 1.
    private let chance: @Sendable () -> Double
    /// What the worker's thread has cost so far.
    private let cost: @Sendable () -> GroupSize.Cost
    var settings: Settings.Worker
    var policy: RetryPolicy
    var consumer: any BookingQueueConsumer
    /// Whether other hosts bring work that nothing here would start a worker for.
    let servesOthers: Bool

    var spoolOutage = Outage()
    var tableOutage = Outage()
    private(set) var stage = Stage.unlocked
    private var lock: SpoolLock?
    /// Settlements that the spool could not take yet; nothing is received before they are done.
    private var unsettled: [(Receipt, Settlement)] = []
    /// What is in hand must go back before anything else is received.
    private var mustRelease = false
    /// Those of them that are not committed, to be told of once they are durable.
    private var unreported: [(Result<Message, Poison>, Settlement)] = []
    private var groupSize = GroupSize()
    /// Dead letters that the table's total does not count yet.
    var uncounted = 0
    /// Shows what comes into `incoming/`; nil when inotify can't be had.
    var watch: SpoolWatch?
    /// Since when nothing has happened; nil while something does.
    var idleSince: Timestamp?
    /// The pause in force.
    var pause: QueuePause?
    /// When to look next for bookings that are PENDING for too long.
    private var nextExpiry = Timestamp(milliseconds: 0)
    nonisolated let isStopping = Atomic(false)
    nonisolated let hasPeerActivity = Atomic(false)

    /// How far the worker has come.
    enum Stage {
        case unlocked, recovering, serving
    }

    let wake: AsyncStream<Void>.Continuation
    let wakeUps: AsyncStream<Void>

    /// - Parameters:
    ///   - directory: the spool.
    ///   - lock: the spool's lock; nil when it could not be taken yet because the spool can't be used, or isn't needed.
    ///   - consumer: the queue.
    ///   - reader: the queue, to look at.
    ///   - table: the table, to write.
    ///   - servesOthers: whether other hosts bring work that nothing here would start a worker for.
    ///   - now: the present time.
    ///   - chance: a number from 0 to 1, to spread delays.
    ///   - cost: what the thread that calls it has cost so far, to keep groups short.
    init(
        spool directory: SpoolDirectory, lock: SpoolLock?, consumer: any BookingQueueConsumer,
        reader: any BookingQueueReader, table: any BookingTable, settings: Settings.Worker,
        report: WorkerReport, servesOthers: Bool = false,
        now: @escaping @Sendable () -> Timestamp = Timestamp.now,
        chance: @escaping @Sendable () -> Double = { .random(in: 0...1) },
        cost: @escaping @Sendable () -> GroupSize.Cost = GroupSize.Cost.soFar
    ) {
        self.directory = directory
        self.lock = lock
        self.table = table
        self.settings = settings
        self.report = report
        self.now = now
        self.chance = chance
        self.cost = cost
        policy = RetryPolicy(settings)
        self.consumer = consumer
        self.reader = reader
        self.servesOthers = servesOthers
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes new settings over; they hold from the next batch on.
    func reconfigure(_ settings: Settings.Worker) {
        self.settings = settings
        policy = RetryPolicy(settings)
        nextExpiry = Timestamp(milliseconds: 0)
        wake.yield()
    }

    /// Whether nothing waits, is in hand or is deferred, and no trouble lasts: the worker may end.
    var isIdle: Bool {
        stage == .serving && consumer.isEmpty && unsettled.isEmpty && !mustRelease
            && spoolOutage.reason == nil
            && tableOutage.reason == nil
    }

    /// Looks again at what could not be taken out of `incoming/`.
    func retryStuck() {
        try? consumer.scan(retryingStuck: true)
        reportNotices()
    }

    /// The database was connected to: what was put off for its sake needn't wait.
    func databaseReached() {
        spoolOutage.mayBeOver()
        tableOutage.mayBeOver()
        wake.yield()
    }

    /// Does the next thing.
    func step() -> Next {
        let time = now()
        if let wait = [spoolOutage, tableOutage].filter({ $0.mustWait(at: time) }).map(\.nextProbe).max() {
            return .wait(until: wait)
        }
        do {
            let next = try advance(at: time)
            reportNotices()
            return next
        } catch let error as TableUnavailable where error.kind == .paused {
            // Another worker was asked to pause while this one had a batch in hand.
            giveBack(at: time)
            pause = (try? consumer.pause()) ?? pause
        } catch let error as TableUnavailable {
            tableOutage.failed(error.reason, at: time)
            groupSize.beginAnew()
            report.table(error)
            giveBack(at: time)
        } catch {
            let trouble = error as? QueueUnavailable ?? QueueUnavailable(reason: "\(error)")
            spoolOutage.failed(trouble.reason, at: time)
            report.spool(trouble)
        }
        return .again
    }

    /// Ends in good order: what is in hand goes back uncharged.
    func stop() {
        if !unsettled.isEmpty { try? settleAll(at: now()) }
        giveBack(at: now())
        lock = nil
    }

    private func advance(at time: Timestamp) throws -> Next {
        switch stage {
        case .unlocked:
            if lock == nil, !servesOthers { lock = try takeLock() }
            try consumer.start(at: time)
            pause = try consumer.pause()
            stage = .recovering
            return .again
        case .recovering:
            try recover(at: time)
            stage = .serving
            report.started(try consumer.counts())
            return .again
        case .serving:
            return try serve(at: time)
        }
    }

    private func takeLock() throws -> SpoolLock {
        do {
            try directory.makeMissing(using: LocalFileSystem())
            return try SpoolLock(directory)
        } catch let error as SpoolLock.Taken {
            throw QueueUnavailable(reason: error.description)
        } catch {
            throw QueueUnavailable(reason: "The spool can't be used. \(error)")
        }
    }

    private func recover(at time: Timestamp) throws {
        try probe()
        let (policy, chance) = (policy, chance)
        var charges: [(id: BookingID, content: Result<Message, Poison>, settlement: Settlement)] = []
        let charged = try consumer.recover(
            upTo: settings.batchSize, at: time,
            committed: { [table] ids throws(TableUnavailable) in
                try table.committed(among: ids)
            },
            charge: { message in
                let settlement = policy.afterCrash(message, at: time, chance: chance())
                charges.append((message.id, .success(message), settlement))
                return settlement
            })
        if !charged.isEmpty { report.recovered(charged) }
        // What was not charged in the end may still be in the table.
        let durable = Set(charged)
        let settled = charges.filter { durable.contains($0.id) }.map { ($0.content, $0.settlement) }
        uncounted += settled.count { if case .dead = $0.1 { true } else { false } }
        report.settled(settled)
    }

    private func serve(at time: Timestamp) throws -> Next {
        if !unsettled.isEmpty { try settleAll(at: time) }
        if mustRelease {
            try consumer.release()
            mustRelease = false
        }
        // What comes in while a backlog waits sorts behind it, so one scan a backlog finds everything in order.
        let isScanned = consumer.isExhausted
        if isScanned { try consumer.scan() }
        if servesOthers { try learnPause() }
        if try isPaused(at: time) {
            spoolWorks()
            if tableOutage.reason != nil { try probe() }
            report.waiting(deferred: nil, pause: pause)
            return .wait(until: [pause?.until, nextLook(at: time)].compactMap { $0 }.min())
        }
        if try expirePending(at: time) { return .again }
        // After an outage the batch itself is the probe: a smaller write could succeed where it fails.
        let start = cost()
        // After a crash batches stay small, so that only few are charged should it come again.
        let limit =
            consumer.isCautious
            ? settings.batchSize : groupSize.limit(batchSize: settings.batchSize)
        let batch = try consumer.receive(upTo: limit, at: time)
        spoolWorks()
        if consumer.needsRecovery {
            try recover(at: time)
            return .again
        }
        // That a backlog is at its end shows only now; what came in behind it is found by another scan.
        guard !batch.isEmpty else { return isScanned ? try rest(at: time) : .again }
        (unsettled, unreported) = try settlements(for: batch, at: time)
        if !unreported.isEmpty { groupSize.beginAnew() }
        let isWhole = unreported.isEmpty
        try settleAll(at: time)
        if isWhole {
            groupSize.note(
                batch.count, cost() - start, isWanted: executor.isWanted, batchSize: settings.batchSize,
                at: time)
        }
        return .again
    }

    private func rest(at time: Timestamp) throws -> Next {
        if uncounted > 0 || tableOutage.reason != nil { try probe() }
        consumer.keepReserve()
        report.waiting(deferred: consumer.nextDue)
        if let due = consumer.nextDue, due <= time { return .again }
        let expiry = settings.pendingExpiresAfterDays > 0 ? nextExpiry : nil
        return .wait(until: [consumer.nextDue, expiry, nextLook(at: time)].compactMap { $0 }.min())
    }

    /// When to look again though nothing tells of anything; nil where all is told.
    private func nextLook(at time: Timestamp) -> Timestamp? {
        consumer.pollInterval.map { time.advanced(by: $0) }
    }

    /// Cancels some of the bookings that are PENDING for too long, when it is time to look for them.
    ///
    /// - Returns: whether there may be more.
    private func expirePending(at time: Timestamp) throws -> Bool {
        guard settings.pendingExpiresAfterDays > 0, nextExpiry <= time else { return false }
        let limit = 100
        let expired = try table.expirePending(
            createdBefore: expiryLimit(at: time), limit: limit, at: time)
        if !expired.isEmpty { report.expired(expired, afterDays: settings.pendingExpiresAfterDays) }
        if expired.count == limit { return true }
        nextExpiry = time.advanced(by: .seconds(60))
        return false
    }

    private func expiryLimit(at time: Timestamp) -> Timestamp {
        time.advanced(by: .zero - .seconds(86_400 * settings.pendingExpiresAfterDays))
    }

    /// Writes to the table without touching a booking, where there is none to commit.
    private func probe() throws {
        _ = try table.apply([], deadLettered: uncounted)
        uncounted = 0
        tableWorks()
    }

    private func settlements(
        for batch: [Received], at time: Timestamp
    ) throws -> ([(Receipt, Settlement)], [(Result<Message, Poison>, Settlement)]) {
        let messages = batch.compactMap { received -> Message? in
            if case .success(let message) = received.content { message } else { nil }
        }
        FaultPoint.reached(apartments: messages.map(\.request.apartmentID))
        var outcomes: [ApplyOutcome] = []
        if !messages.isEmpty {
            let start = ContinuousClock.now
            outcomes = try table.apply(messages, deadLettered: uncounted)
            report.metrics.commitDuration.record(ContinuousClock.now - start)
            uncounted = 0
            tableWorks()
        }
        FaultPoint.reached("worker.commit")
        // A message can be old already when it is committed.
        let limit = expiryLimit(at: time)
        if messages.contains(where: { $0.acceptedOn < limit }) { nextExpiry = time }
        report.applied(messages, outcomes)
        var next = outcomes.makeIterator()
        var settled: [(Receipt, Settlement)] = []
        settled.reserveCapacity(batch.count)
        var others: [(Result<Message, Poison>, Settlement)] = []
        for received in batch {
            let settlement =
                switch received.content {
                case .failure(let poison):
                    policy.poison(
                        poison.reason, attempts: poison.attempts, receiveCount: poison.receiveCount, at: time)
                case .success(let message):
                    settlement(of: message, after: next.next(), at: time)
                }
            settled.append((received.receipt, settlement))
            if case .committed = settlement { continue }
            if case .dead = settlement { uncounted += 1 }
            others.append((received.content, settlement))
        }
        return (settled, others)
    }

    private func settlement(of message: Message, after outcome: ApplyOutcome?, at time: Timestamp)
        -> Settlement
    {
        switch outcome {
        case .committed, .alreadyCommitted:
            .committed
        case .poison(let reason):
            policy.poison(reason, attempts: message.attempts, receiveCount: message.receiveCount, at: time)
        case .failed(let reason):
            policy.afterFailure(message, reason: reason, at: time, chance: chance())
        case nil:
            policy.afterFailure(
                message, reason: "The table gave no answer.", at: time, chance: chance())
        }
    }

    private func settleAll(at time: Timestamp) throws {
        try consumer.settle(unsettled, at: time)
        report.settled(unreported)
        (unsettled, unreported) = ([], [])
        spoolWorks()
    }

    /// Sees to it that the worker knows what is deferred and dead, which a call may ask for before its first step.
    func beStarted() throws(QueueUnavailable) {
        if stage == .unlocked { _ = step() }
        guard stage != .unlocked else {
            throw QueueUnavailable(reason: spoolOutage.reason ?? "The spool can't be used.")
        }
    }

    /// Sees to it that nothing is in hand, so that entries of the spool can be changed.
    ///
    /// - Throws: when the spool can't be used.
    func takeNothing() throws {
        try beStarted()
        if !unsettled.isEmpty { try settleAll(at: now()) }
        if stage == .serving { try consumer.release() }
        mustRelease = false
    }

    /// Puts what is in hand back uncharged. Settled messages among it are no-ops when they come again.
    private func giveBack(at time: Timestamp) {
        guard stage == .serving, unsettled.isEmpty else { return }
        mustRelease = true
        do {
            try consumer.release()
            mustRelease = false
        } catch {
            spoolOutage.failed(error.reason, at: time)
            report.spool(error)
        }
    }

    private func spoolWorks() {
        spoolOutage.succeeded()
        report.spool(nil)
    }

    private func tableWorks() {
        tableOutage.succeeded()
        report.table(nil)
    }

    private func reportNotices() {
        for notice in consumer.takeNotices() { report.notice(notice) }
    }
}
