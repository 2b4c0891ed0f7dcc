import Bookings
import Glibc
import Spool
import Systemd

/// The queue that hosts share, and this host's spool, whose messages it forwards to it: those that the front has buffered,
/// and files that somebody has put in.
///
/// A message leaves the spool once the shared queue has it. A crash between forwards it once more, which its id makes a
/// no-op.
struct ForwardingConsumer: BookingQueueConsumer {
    private var shared: any BookingQueueConsumer
    private let queue: any SharedBookingQueue
    private let directory: SpoolDirectory
    /// Tells this spool from all others, also from one that is put in its place.
    private var name = ""
    private var spool: SpoolConsumer
    /// Held by the one of a host's workers that forwards.
    private var lock: SpoolLock?
    private var isStarted = false
    /// When to look next for what has come into the spool.
    private var nextLook = ContinuousClock.now
    private var trouble: QueueUnavailable?
    private var notices: [QueueNotice] = []
    /// The marks of what the shared queue has taken, and is to know of as long as the spool can bring it back; by ids.
    private var forwarded: [BookingID: [BookingID]] = [:]

    /// Whether it has not been looked since what can be forgotten.
    private var mayForget = false

    private static let portion = 500
    private static let pause = Duration.milliseconds(100)
    /// So much of what can't be read goes with its letter.
    private static let bodyBytes = 8 << 20

    init(_ shared: any BookingQueueConsumer, _ queue: any SharedBookingQueue, _ directory: SpoolDirectory) {
        self.shared = shared
        self.queue = queue
        self.directory = directory
        spool = SpoolConsumer(directory)
    }

    mutating func start(at time: Timestamp) throws(QueueUnavailable) {
        try shared.start(at: time)
    }

    /// Sees to it that this worker is the one that forwards, and that the spool is ready.
    ///
    /// - Returns: false while another does.
    private mutating func mayForward(at time: Timestamp) throws(QueueUnavailable) -> Bool {
        if isStarted { return true }
        do {
            try directory.makeMissing(using: LocalFileSystem())
            if lock == nil { lock = try SpoolLock(directory) }
            try spool.start(at: time)
            // Forwarding has nothing to do with what a message says, so none is charged for a worker's death.
            _ = try spool.recover(
                upTo: 0, at: time, committed: { [queue] ids in (try? queue.known(among: ids)) ?? [] },
                charge: { _ in .committed })
            name = try Self.name(of: directory)
            // What the worker before this one has forwarded.
            forwarded = try queue.marks(of: name)
            mayForget = !forwarded.isEmpty
        } catch is SpoolLock.Taken {
            return false
        } catch {
            throw error as? QueueUnavailable ?? QueueUnavailable(reason: "The spool can't be used. \(error)")
        }
        isStarted = true
        return true
    }

    private static func name(of directory: SpoolDirectory) throws(SpoolError) -> String {
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        let inode = try LocalFileSystem().status(of: directory.root)?.identity.inode ?? 0
        let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // machine-id(5) is to be told to nobody.
        let mark = BookingID.derived(
            fileName: JournalAccess.machineID() ?? "", line: Int(truncatingIfNeeded: inode))
        return "\(name):\(directory.root) (\(mark))"
    }

    mutating func recover(
        upTo limit: Int, at time: Timestamp,
        committed: ([BookingID]) throws(TableUnavailable) -> Set<BookingID>, charge: (Message) -> Settlement
    ) throws -> [BookingID] {
        try shared.recover(upTo: limit, at: time, committed: committed, charge: charge)
    }

    mutating func scan(retryingStuck: Bool) throws(QueueUnavailable) {
        if retryingStuck, isStarted { try spool.scan(retryingStuck: true) }
        try shared.scan(retryingStuck: retryingStuck)
    }

    mutating func receive(upTo limit: Int, at time: Timestamp) throws(QueueUnavailable) -> [Received] {
        if ContinuousClock.now >= nextLook {
            forward(at: time)
            nextLook = .now + Self.pause
        }
        return try shared.receive(upTo: limit, at: time)
    }

    /// Forwards what is in the spool. Trouble with either end leaves it there, and keeps nobody else's messages waiting.
    private mutating func forward(at time: Timestamp) {
        var count = 0
        do throws(QueueUnavailable) {
            guard try mayForward(at: time) else { return }
            try spool.scan()
            while case let batch = try spool.receive(upTo: Self.portion, at: time), !batch.isEmpty {
                var items: [Forwarded] = []
                do throws(QueueUnavailable) {
                    items = try self.items(of: batch)
                    note(try queue.forward(items, from: name, at: time), batch)
                } catch {
                    try spool.release()
                    throw error
                }
                try spool.settle(settlements(of: batch, items), at: time)
                for item in items { forwarded[item.id, default: []].append(item.mark) }
                count += batch.count
            }
            if count > 0 || mayForget { try forget() }
            trouble = nil
        } catch {
            if trouble?.kind != error.kind { notices.append(.notForwarded(reason: error.reason)) }
            trouble = error
        }
        guard count > 0 else { return }
        notices.append(.forwarded(count))
        queue.tellArrivals()
    }

    /// Has the shared queue forget what can't come again: the files are gone, which a dead worker would leave, and the front's
    /// journal has nothing of it.
    private mutating func forget() throws(QueueUnavailable) {
        mayForget = true
        guard spool.holdsNothing, !forwarded.isEmpty else { return }
        let gone = try spool.beyondRecall(Set(forwarded.keys))
        try queue.forget(gone.flatMap { forwarded[$0] ?? [] })
        for id in gone { forwarded[id] = nil }
        // The journal is not read again before something else has come.
        mayForget = false
    }

    private func items(of batch: [Received]) throws(QueueUnavailable) -> [Forwarded] {
        var items: [Forwarded] = []
        for received in batch {
            switch received.content {
            case .success(let message): items.append(.message(message))
            case .failure(let poison):
                let body = try spool.body(of: received.receipt, limit: Self.bodyBytes)
                items.append(.poison(poison, body: body?.bytes ?? [], size: body?.size ?? 0))
            }
        }
        return items
    }

    private mutating func note(_ letters: [SetAside?], _ batch: [Received]) {
        for (received, letter) in zip(batch, letters) {
            guard let letter else { continue }
            // It is told of under the id by which it is found.
            let content = received.content.map { message in
                var message = message
                message.id = letter.id
                return message
            }.mapError { poison in
                var poison = poison
                poison.id = letter.id
                return poison
            }
            notices.append(.setAside(content, reason: letter.reason))
        }
    }

    private func settlements(of batch: [Received], _ items: [Forwarded]) -> [(Receipt, Settlement)] {
        zip(batch, items).map { received, item in
            // What does not fit into a letter stays whole, in the spool's own dead/.
            if case .poison(let poison, let body, let size) = item, body.count < size {
                return (
                    received.receipt,
                    .dead(
                        .poison, reason: poison.reason, attempts: poison.attempts,
                        receiveCount: poison.receiveCount + 1)
                )
            }
            return (received.receipt, .committed)
        }
    }

    mutating func settle(_ settlements: [(Receipt, Settlement)], at time: Timestamp) throws(QueueUnavailable)
    {
        try shared.settle(settlements, at: time)
    }

    mutating func release() throws(QueueUnavailable) { try shared.release() }

    mutating func counts() throws(QueueUnavailable) -> QueueCounts {
        var counts = try shared.counts()
        guard isStarted else { return counts }
        let own = try spool.counts()
        counts.incoming += own.incoming + own.active
        counts.deferred += own.deferred
        counts.oldest = [counts.oldest, own.oldest].compactMap(\.self).min()
        return counts
    }

    mutating func progress(of id: BookingID) throws(QueueUnavailable) -> Progress? {
        if let progress = try shared.progress(of: id) { return progress }
        // Until this worker has taken the spool, somebody else may have something in it.
        return isStarted ? try spool.progress(of: id) : try SpoolReader(directory).progress(of: id)
    }

    mutating func takeNotices() -> [QueueNotice] {
        defer { notices = [] }
        return notices + spool.takeNotices() + shared.takeNotices()
    }

    mutating func redrive(
        _ messages: [Message], as name: BookingID
    ) throws(QueueUnavailable) -> [BookingID: RedriveObstacle] {
        try shared.redrive(messages, as: name)
    }

    mutating func delete(_ ids: [BookingID]) throws(QueueUnavailable) -> [BookingID: DeletionObstacle] {
        try shared.delete(ids)
    }

    func redrivable(
        _ id: BookingID, matching filter: DeadLetterFilter?, replacing input: CreateBookingInput?
    ) throws -> Message {
        try shared.redrivable(id, matching: filter, replacing: input)
    }

    func obstacles(to messages: [Message]) throws(QueueUnavailable) -> [BookingID: RedriveObstacle] {
        try shared.obstacles(to: messages)
    }

    func hasLetter(_ id: BookingID, matching filter: DeadLetterFilter?) throws(QueueUnavailable) -> Bool {
        try shared.hasLetter(id, matching: filter)
    }

    func pause() throws(QueueUnavailable) -> QueuePause? { try shared.pause() }

    func setPause(_ pause: QueuePause?) throws(QueueUnavailable) { try shared.setPause(pause) }

    func keepReserve() {
        if isStarted { spool.keepReserve() }
    }

    var needsRecovery: Bool { shared.needsRecovery }
    var nextDue: Timestamp? { shared.nextDue }
    var pollInterval: Duration? { shared.pollInterval }
    var isEmpty: Bool { shared.isEmpty && spool.isEmpty }
    var isExhausted: Bool { shared.isExhausted }
    var isCautious: Bool { shared.isCautious }
}
