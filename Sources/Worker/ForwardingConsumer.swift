import Bookings
import Spool

/// The queue that hosts share, and this host's spool, whose messages it forwards to it: those that the front has buffered,
/// and files that somebody has put in.
///
/// A message leaves the spool once the shared queue has it. A crash between forwards it once more, which its id makes a
/// no-op.
struct ForwardingConsumer: BookingQueueConsumer {
    private var shared: any BookingQueueConsumer
    private let queue: any SharedBookingQueue
    private var spool: SpoolConsumer
    /// When to look next for what has come into the spool.
    private var nextLook = ContinuousClock.now
    private var trouble: QueueUnavailable?
    private var notices: [QueueNotice] = []

    private static let portion = 500
    private static let pause = Duration.milliseconds(100)
    /// So much of what can't be read goes with its letter.
    private static let bodyBytes = 8 << 20

    init(_ shared: any BookingQueueConsumer, _ queue: any SharedBookingQueue, _ spool: SpoolConsumer) {
        self.shared = shared
        self.queue = queue
        self.spool = spool
    }

    mutating func start(at time: Timestamp) throws(QueueUnavailable) {
        try spool.start(at: time)
        try shared.start(at: time)
    }

    mutating func recover(
        upTo limit: Int, at time: Timestamp,
        committed: ([BookingID]) throws(TableUnavailable) -> Set<BookingID>, charge: (Message) -> Settlement
    ) throws -> [BookingID] {
        // Forwarding has nothing to do with what a message says, so none is charged for a worker's death.
        _ = try spool.recover(upTo: 0, at: time, committed: committed, charge: charge)
        return try shared.recover(upTo: limit, at: time, committed: committed, charge: charge)
    }

    mutating func scan(retryingStuck: Bool) throws(QueueUnavailable) {
        if retryingStuck { try spool.scan(retryingStuck: true) }
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
            try spool.scan()
            while case let batch = try spool.receive(upTo: Self.portion, at: time), !batch.isEmpty {
                do throws(QueueUnavailable) {
                    try spool.settle(try forward(batch, at: time), at: time)
                } catch {
                    try spool.release()
                    throw error
                }
                count += batch.count
            }
            trouble = nil
        } catch {
            if trouble?.kind != error.kind { notices.append(.notForwarded(reason: error.reason)) }
            trouble = error
        }
        if count > 0 { notices.append(.forwarded(count)) }
    }

    private mutating func forward(
        _ batch: [Received], at time: Timestamp
    ) throws(QueueUnavailable) -> [(Receipt, Settlement)] {
        let messages = batch.compactMap { try? $0.content.get() }
        var verdicts = try queue.accept(messages, again: true).makeIterator()
        var settlements: [(Receipt, Settlement)] = []
        for received in batch {
            var settlement = Settlement.committed
            switch received.content {
            case .success(let message):
                let reason = verdicts.next().flatMap { Self.reason(of: $0, for: message) }
                if let reason {
                    try queue.setAside(message, reason: reason, at: time)
                    notices.append(.setAside(received.content, reason: reason))
                }
            case .failure(let poison):
                guard let body = try spool.body(of: received.receipt, limit: Self.bodyBytes) else { break }
                try queue.setAside(poison, body: body.bytes, size: body.size, at: time)
                notices.append(.setAside(received.content, reason: poison.reason))
                // What does not fit into a letter stays whole, in the spool's own dead/.
                if body.isWhole { break }
                settlement = .dead(
                    .poison, reason: poison.reason, attempts: poison.attempts,
                    receiveCount: poison.receiveCount + 1)
            }
            settlements.append((received.receipt, settlement))
        }
        return settlements
    }

    /// Why a message becomes a dead letter that nobody could be told of when it was accepted; nil when it doesn't.
    private static func reason(of verdict: SharedVerdict, for message: Message) -> String? {
        switch verdict {
        case .accepted: nil
        case .repeats(let id), .keyReused(let id):
            "The user has used its idempotencyKey for the booking \(id), which was accepted first."
        case .pendingExists(let id, let progress):
            "The user has the PENDING booking \(id) (\(progress.rawValue)) of this apartment, which was accepted first."
        case .notAvailable(let id, let start, let end):
            "The apartment is taken from \(start) to \(end) by the booking \(id)."
        case .idTaken:
            "The id \(message.id) belongs to another booking."
        }
    }

    mutating func settle(_ settlements: [(Receipt, Settlement)], at time: Timestamp) throws(QueueUnavailable)
    {
        try shared.settle(settlements, at: time)
    }

    mutating func release() throws(QueueUnavailable) { try shared.release() }

    mutating func counts() throws(QueueUnavailable) -> QueueCounts {
        var counts = try shared.counts()
        let own = try spool.counts()
        counts.incoming += own.incoming + own.active
        counts.deferred += own.deferred
        counts.oldest = [counts.oldest, own.oldest].compactMap(\.self).min()
        return counts
    }

    mutating func progress(of id: BookingID) throws(QueueUnavailable) -> Progress? {
        if let progress = try shared.progress(of: id) { return progress }
        return try spool.progress(of: id)
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

    mutating func delete(_ ids: [BookingID]) throws(QueueUnavailable) -> [BookingID: QueueUnavailable] {
        try shared.delete(ids)
    }

    func redrivable(
        _ id: BookingID, matching filter: DeadLetterFilter?, replacing input: CreateBookingInput?
    ) throws -> Message {
        try shared.redrivable(id, matching: filter, replacing: input)
    }

    func hasLetter(_ id: BookingID, matching filter: DeadLetterFilter?) throws(QueueUnavailable) -> Bool {
        try shared.hasLetter(id, matching: filter)
    }

    func pause() throws(QueueUnavailable) -> QueuePause? { try shared.pause() }

    func setPause(_ pause: QueuePause?) throws(QueueUnavailable) { try shared.setPause(pause) }

    func keepReserve() { spool.keepReserve() }

    var needsRecovery: Bool { shared.needsRecovery }
    var nextDue: Timestamp? { shared.nextDue }
    var pollInterval: Duration? { shared.pollInterval }
    var isEmpty: Bool { shared.isEmpty && spool.isEmpty }
    var isExhausted: Bool { shared.isExhausted }
    var isCautious: Bool { shared.isCautious }
}
