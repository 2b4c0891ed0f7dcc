public import Bookings

/// The committing half of the queue in the database, one of many.
///
/// What it receives is leased: it belongs to this worker until it is settled, or until the lease lapses because the
/// worker is no more, or can't reach the database. Then another worker finds it, charges what may have killed the first
/// one, and goes on. Whatever a worker does with a message, it does only while the message is still its own.
public final class PostgresConsumer: BookingQueueConsumer {
    let queue: PostgresQueue
    var link: DatabaseLink { queue.link }
    /// Who this worker is, unlike any other there was or will be.
    public let worker: BookingID
    /// What was received and not settled.
    var inHand: [Int: BookingID] = [:]
    private var lastNumber = 0
    /// What workers have left that are no more.
    private var lapsed: [(owner: BookingID, message: Message)] = []
    /// When the next deferred message is due, as far as the last look tells.
    public private(set) var nextDue: Timestamp?
    private var known: (pause: QueuePause?, until: ContinuousClock.Instant)?

    /// Most messages that may have killed a worker at once.
    private static let cautiousLimit = 10
    /// For how long a pause that others may have asked for need not be known: no commit relies on it.
    private static let pauseAge = Duration.milliseconds(200)

    /// - Parameter queue: what it serves.
    public init(_ queue: PostgresQueue) {
        self.queue = queue
        worker = .version7(at: .now(), random: (.random(in: 0 ... .max), .random(in: 0 ... .max)))
    }

    /// Sees to it that the database is there.
    public func start(at time: Timestamp) throws(QueueUnavailable) {
        try use { (connection) throws(DatabaseTrouble) in _ = try connection.run(Statement("SELECT 1")) }
    }

    /// There is no way to know of what has come but to look.
    public func scan(retryingStuck: Bool) {}

    /// What is told of can be lost.
    public var pollInterval: Duration? { .seconds(1) }

    /// Whether the last look found nothing that waits, is in anybody's hand or deferred.
    public private(set) var isEmpty = false

    /// Each look is at all there is.
    public var isExhausted: Bool { true }

    /// The database knows which messages may have killed a worker, and gives few of them.
    public var isCautious: Bool { false }

    /// The database has its own.
    public func keepReserve() {}

    /// Nothing odd is found here.
    public func takeNotices() -> [QueueNotice] { [] }

    /// Takes up to `limit` messages that are due, in order of arrival.
    public func receive(upTo limit: Int, at time: Timestamp) throws(QueueUnavailable) -> [Received] {
        let rows = try use { (connection) throws(DatabaseTrouble) in
            try connection.transaction([
                // A lease that a crash of the server loses does no harm: its message is only received once more.
                Statement("SET LOCAL synchronous_commit = off"),
                Statement(
                    Self.receiving,
                    [
                        .text(worker.description), .number(max(1, limit / 2)), .number(limit),
                        .number(min(limit, Self.cautiousLimit)), .text("\(link.target.lease / .seconds(1))"),
                        queue.time,
                    ]),
            ])[1]
        }
        var batch: [(message: Message, alone: Bool, place: String)] = []
        do throws(DatabaseTrouble) {
            for row in rows.all {
                let message = try MessageRow.message(in: row)
                // Its own leases have lapsed only because it wasn't told that it had them.
                if let owner = try row.optionalID(MessageRow.count + 2), owner != worker {
                    lapsed.append((owner, message))
                } else {
                    batch.append((message, row.flag(MessageRow.count + 1), try row.text(MessageRow.count)))
                }
            }
        } catch {
            throw error.ofQueue
        }
        // Deferred ones first, as nothing else says in which order an UPDATE returns its rows.
        batch.sort {
            ($0.place, $0.message.acceptedOn, $0.message.id) < (
                $1.place, $1.message.acceptedOn, $1.message.id
            )
        }
        if rows.count == 0 { try lookAhead() } else { isEmpty = false }
        guard lapsed.isEmpty else {
            // First what they have left is dealt with.
            try giveBack(batch.map(\.message.id), asSuspects: false)
            return []
        }
        inHand = [:]
        return batch.map { message, alone, _ in
            lastNumber += 1
            inHand[lastNumber] = message.id
            return Received(
                receipt: Receipt(source: 0, number: lastNumber), content: .success(message), alone: alone)
        }
    }

    /// One that is to be tried alone comes alone; else deferred ones that are due, half of the batch at most, and those
    /// that have come. While there are some that may have killed a worker, few at a time.
    private static let receiving: String = {
        let now = PostgresQueue.now(6)
        let free = """
            (m.leased_until IS NULL OR m.leased_until < \(now))
            AND EXISTS (SELECT 1 FROM control WHERE \(isRunning(now)))
            """
        return """
            WITH single AS MATERIALIZED (
              SELECT m.id, m.leased_by FROM messages m WHERE m.alone AND m.place = 'DEFERRED' AND m.due <= \(now)
                AND \(free) ORDER BY m.due, m.id LIMIT 1 FOR UPDATE SKIP LOCKED),
            late AS MATERIALIZED (
              SELECT m.id, m.leased_by FROM messages m WHERE m.place = 'DEFERRED' AND NOT m.alone AND m.due <= \(now)
                AND \(free) AND NOT EXISTS (SELECT 1 FROM single) ORDER BY m.due, m.id LIMIT $2 FOR UPDATE SKIP LOCKED),
            fresh AS MATERIALIZED (
              SELECT m.id, m.leased_by FROM messages m WHERE m.place = 'QUEUED'
                AND \(free) AND NOT EXISTS (SELECT 1 FROM single) ORDER BY m.accepted_on, m.id
              LIMIT greatest(0, CASE WHEN EXISTS (SELECT 1 FROM messages WHERE suspect) THEN $4::bigint ELSE $3::bigint END
                - (SELECT count(*) FROM late)) FOR UPDATE SKIP LOCKED),
            taken AS (SELECT * FROM single UNION ALL SELECT * FROM late UNION ALL SELECT * FROM fresh)
            UPDATE messages m SET leased_by = $1::uuid, leased_until = \(now) + $5::float8 * interval '1 second'
            WHERE m.id = ANY(ARRAY(SELECT t.id FROM taken t)) RETURNING \(MessageRow.columns), m.place, m.alone,
              CASE WHEN m.id = ANY(ARRAY(SELECT t.id FROM taken t WHERE t.leased_by IS NOT NULL))
              THEN (SELECT t.leased_by FROM taken t WHERE t.id = m.id) END
            """
    }()

    /// Whether the committing goes on, as SQL about the row of `control`.
    static func isRunning(_ now: String) -> String {
        "(NOT is_paused OR coalesce(paused_until <= \(now), false))"
    }

    /// Learns when there will be something to do.
    private func lookAhead() throws(QueueUnavailable) {
        known = nil
        let row = try use { (connection) throws(DatabaseTrouble) in
            try connection.run(
                Statement(
                    """
                    SELECT \(MessageRow.time("min(greatest(due, leased_until))")),
                      count(*) > 0 OR EXISTS (SELECT 1 FROM messages WHERE place = 'QUEUED')
                    FROM (SELECT due, leased_until FROM messages WHERE place = 'DEFERRED' ORDER BY due, id LIMIT 100) m
                    """)
            ).first
        }
        do throws(DatabaseTrouble) {
            nextDue = try row?.optionalTime(0)
            isEmpty = row?.flag(1) == false
        } catch {
            throw error.ofQueue
        }
    }

    /// Whether a worker has left messages that its lease has lapsed on.
    public var needsRecovery: Bool { !lapsed.isEmpty }

    /// Charges the first of each lost worker's messages, which may have killed it. The others are tried few at a time.
    public func recover(
        upTo limit: Int, at time: Timestamp,
        committed: ([BookingID]) throws(TableUnavailable) -> Set<BookingID>, charge: (Message) -> Settlement
    ) throws -> [BookingID] {
        var charged: [(BookingID, Settlement)] = []
        var others: [BookingID] = []
        // Those are received first that have come first.
        let sorted = lapsed.sorted {
            ($0.message.acceptedOn, $0.message.id) < ($1.message.acceptedOn, $1.message.id)
        }
        for (_, left) in Dictionary(grouping: sorted, by: \.owner).sorted(by: { $0.key < $1.key }) {
            let messages = left.map(\.message)
            charged += messages.prefix(limit).map { ($0.id, charge($0)) }
            others += messages.dropFirst(limit).map(\.id)
        }
        try write(charged, at: time)
        try giveBack(others, asSuspects: true)
        lapsed = []
        return charged.map(\.0)
    }

    /// Gives up what is in hand.
    public func release() throws(QueueUnavailable) {
        try giveBack(Array(inHand.values) + lapsed.map(\.message.id), asSuspects: false)
        inHand = [:]
        lapsed = []
    }

    private func giveBack(_ ids: [BookingID], asSuspects: Bool) throws(QueueUnavailable) {
        guard !ids.isEmpty else { return }
        try use { (connection) throws(DatabaseTrouble) in
            try connection.transaction([
                Statement(
                    """
                    UPDATE messages SET leased_by = NULL, leased_until = NULL, suspect = suspect OR $3
                    WHERE id = ANY($1::uuid[]) AND leased_by = $2::uuid
                    """,
                    [.array(ids.map(\.description)), .text(worker.description), .flag(asSuspects)])
            ])
        }
    }

    /// The pause that is in force, as it was a moment ago at most.
    public func pause() throws(QueueUnavailable) -> QueuePause? {
        // Where time stands still, nothing of it is known to be young.
        if queue.clock == nil, let known, known.until > .now { return known.pause }
        let row = try use { (connection) throws(DatabaseTrouble) in
            try connection.run(
                Statement(
                    """
                    SELECT NOT \(Self.isRunning(PostgresQueue.now(1))), \(MessageRow.time("paused_until")), \(MessageRow.time("paused_since")), paused_by
                    FROM control
                    """, [queue.time])
            ).first
        }
        do throws(DatabaseTrouble) {
            var pause: QueuePause?
            if let row, row.flag(0) {
                pause = QueuePause(
                    until: try row.optionalTime(1),
                    since: try row.optionalTime(2) ?? Timestamp(milliseconds: 0),
                    uid: try row.optionalNumber(3).flatMap(UInt32.init(exactly:)))
            }
            known = (pause, .now + Self.pauseAge)
            return pause
        } catch {
            throw error.ofQueue
        }
    }

    /// Makes a pause last, or ends it, for all workers. Waits for those who are just committing.
    public func setPause(_ pause: QueuePause?) throws(QueueUnavailable) {
        known = nil
        let statement =
            if let pause {
                Statement(
                    """
                    UPDATE control SET is_paused = true, paused_until = $1::timestamptz, paused_since = $2::timestamptz,
                    paused_by = $3
                    """,
                    [
                        .optional(pause.until?.description), .text(pause.since.description),
                        .optional(pause.uid.map { String($0) }),
                    ])
            } else {
                Statement(
                    "UPDATE control SET is_paused = false, paused_until = NULL, paused_since = NULL, paused_by = NULL"
                )
            }
        try use { (connection) throws(DatabaseTrouble) in
            try connection.transaction([
                Statement("SELECT pg_advisory_xact_lock(\(Lock.committing.key(link.target)))"), statement,
            ])
        }
        if pause == nil { queue.hint(PostgresQueue.arrivals) }
    }

    @discardableResult
    func use<R>(_ body: (Connection) throws(DatabaseTrouble) -> R) throws(QueueUnavailable) -> R {
        do {
            return try link.retrying(body)
        } catch {
            throw error.ofQueue
        }
    }
}
