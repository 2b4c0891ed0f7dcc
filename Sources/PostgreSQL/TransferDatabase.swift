public import Bookings
import Glibc

/// The database as one end of a move from one engine to another. Used from one thread at a time.
///
/// What is moved into it is of use to other hosts from the moment it is there: they may commit a message, or approve a
/// booking, before the move is over. So it is written by the rules that all keep: a message's claim is unique among
/// messages, and nobody changes messages while it is looked whether a booking stands against another.
public final class TransferDatabase {
    let connection: Connection
    let target: DatabaseTarget
    /// Whether there is no schema yet.
    public let isAbsent: Bool

    /// Connects.
    ///
    /// - Parameters:
    ///   - isReading: whether nothing may be changed; otherwise the schema is made or brought up to date.
    /// - Throws: `TransferTrouble`.
    public init(_ target: DatabaseTarget, isReading: Bool) throws(TransferTrouble) {
        var target = target
        target.ignoresMove = true
        self.target = target
        do throws(DatabaseTrouble) {
            connection = try Connection(target)
            if isReading {
                isAbsent = try Schema.present(connection, target) == nil
            } else {
                try Schema.prepare(connection, target)
                try Self.lock(connection, target)
                isAbsent = false
            }
        } catch {
            throw TransferTrouble(error)
        }
    }

    private static let patience = Duration.seconds(5)

    /// Sees to it that no other moves at the same time, as long as the connection lasts. One that was killed may hold the
    /// lock for a moment.
    private static func lock(_ connection: Connection, _ target: DatabaseTarget) throws(DatabaseTrouble) {
        let statement = Statement("SELECT pg_try_advisory_lock(\(Lock.moving.key(target)))")
        let deadline = ContinuousClock.now + patience
        while try connection.run(statement).first?.flag(0) != true {
            guard ContinuousClock.now < deadline else {
                throw DatabaseTrouble(
                    .unreachable,
                    "Another acmsctl moves bookings to or from the schema \(target.schema). Repeat the command when it "
                        + "is done.")
            }
            usleep(50_000)
        }
    }

    /// Whether there is neither a booking nor a message.
    public func isEmpty() throws(TransferTrouble) -> Bool {
        if isAbsent { return true }
        return try using { (connection) throws(DatabaseTrouble) in
            try connection.run(
                Statement(
                    "SELECT NOT EXISTS (SELECT 1 FROM bookings) AND NOT EXISTS (SELECT 1 FROM messages)")
            ).first?.flag(0) ?? true
        }
    }

    /// Which it is, without anything secret.
    public func place() throws(TransferTrouble) -> String {
        try using { (connection) throws(DatabaseTrouble) in
            let row = try connection.run(
                Statement("SELECT current_database(), host(inet_server_addr()), inet_server_port()")
            ).first
            let server = try row?.optionalText(1).map { address throws(DatabaseTrouble) in
                " at \(address):\(try row?.optionalNumber(2) ?? 0)"
            }
            return
                "the schema \(target.schema) of the database \(try row?.text(0) ?? "")\(server ?? " on this host")"
        }
    }

    /// The daemons that are connected to the database: how each is called, and where it runs.
    public func connectedDaemons() throws(TransferTrouble) -> [String] {
        try using { (connection) throws(DatabaseTrouble) in
            let rows = try connection.run(
                Statement(
                    """
                    SELECT DISTINCT application_name, coalesce(host(client_addr), 'a local socket')
                    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                      AND application_name IN ('acms-frontd', 'acms-workerd') ORDER BY 1, 2
                    """))
            var found: [String] = []
            for row in rows.all { found.append("\(try row.text(0)) from \(try row.text(1))") }
            return found
        }
    }

    /// Where its bookings were moved to; nil when they are here.
    public func movedTo() throws(TransferTrouble) -> String? {
        if isAbsent { return nil }
        return try using { (connection) throws(DatabaseTrouble) in
            try connection.run(Statement("SELECT moved_to FROM control")).first?.optionalText(0)
        }
    }

    /// Says where its bookings are or go, so that no daemon that connects from now on uses them; nil for here.
    public func setMoved(to place: String?) throws(TransferTrouble) {
        try using { (connection) throws(DatabaseTrouble) in
            try connection.transaction([
                Statement("UPDATE control SET moved_to = $1", [.optional(place)])
            ])
        }
    }

    /// Empties the schema, all at once, and leaves word where the bookings went.
    ///
    /// - Parameter count: how many bookings, messages and letters have arrived there.
    /// - Throws: when there are others; then nothing was done.
    public func giveUp(_ count: Int, to place: String) throws(TransferTrouble) {
        try using { (connection) throws(DatabaseTrouble) in
            try connection.inTransaction { () throws(DatabaseTrouble) in
                try connection.run(Statement("LOCK TABLE messages, bookings IN ACCESS EXCLUSIVE MODE"))
                let found = try connection.run(
                    Statement("SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM bookings)")
                ).first?.integer(0)
                guard found == count else {
                    throw DatabaseTrouble(
                        .refusedSchema,
                        "Somebody has booked in the schema \(target.schema) during the move: \(count) were moved, and "
                            + "\(found ?? 0) are there. Stop the daemons of all hosts, and repeat the command."
                    )
                }
                try connection.run(Statement("TRUNCATE messages, bookings, forwarded"))
                try connection.run(Statement("DELETE FROM totals WHERE slot > \(Self.lastSlot)"))
                try connection.run(Statement("UPDATE totals SET committed = 0, dead_lettered = 0"))
                try connection.run(
                    Statement(
                        """
                        UPDATE control SET moved_to = $1, is_paused = false, paused_until = NULL, paused_since = NULL,
                          paused_by = NULL
                        """, [.text(place)]))
            }
        }
    }

    // MARK: - Totals and pause

    /// The last slot of `totals` that workers count in; those behind it are of what was moved here.
    private static let lastSlot = 15

    /// Messages committed and dead-lettered.
    public func totals() throws(TransferTrouble) -> (committed: Int, deadLettered: Int) {
        if isAbsent { return (0, 0) }
        return try using { (connection) throws(DatabaseTrouble) in
            let row = try connection.run(
                Statement("SELECT coalesce(sum(committed), 0), coalesce(sum(dead_lettered), 0) FROM totals")
            ).first
            return (try row?.integer(0) ?? 0, try row?.integer(1) ?? 0)
        }
    }

    /// Adds what was counted elsewhere, once for each token.
    ///
    /// - Parameter token: stands for where it was counted.
    public func add(
        totals: (committed: Int, deadLettered: Int), token: Int
    ) throws(TransferTrouble) {
        try using { (connection) throws(DatabaseTrouble) in
            try connection.transaction([
                Statement(
                    """
                    INSERT INTO totals (slot, committed, dead_lettered) VALUES ($1, $2, $3) ON CONFLICT (slot)
                    DO UPDATE SET committed = excluded.committed, dead_lettered = excluded.dead_lettered
                    """,
                    [
                        .number(Self.lastSlot + 1 + token), .number(totals.committed),
                        .number(totals.deadLettered),
                    ])
            ])
        }
    }

    /// The pause that is in force; nil when there is none.
    public func pause() throws(TransferTrouble) -> QueuePause? {
        if isAbsent { return nil }
        return try using { (connection) throws(DatabaseTrouble) in
            let row = try connection.run(
                Statement(
                    """
                    SELECT \(MessageRow.time("paused_until")), \(MessageRow.time("paused_since")), paused_by
                    FROM control WHERE is_paused
                    """)
            ).first
            guard let row else { return nil }
            return QueuePause(
                until: try row.optionalTime(0),
                since: try row.optionalTime(1) ?? Timestamp(milliseconds: 0),
                uid: try row.optionalNumber(2).flatMap(UInt32.init(exactly:)))
        }
    }

    /// Makes a pause last for all hosts, unless there is one.
    public func setPause(_ pause: QueuePause) throws(TransferTrouble) {
        try using { (connection) throws(DatabaseTrouble) in
            try connection.transaction([
                Statement("SELECT pg_advisory_xact_lock(\(Lock.committing.key(target)))"),
                Statement(
                    """
                    UPDATE control SET is_paused = true, paused_until = $1::timestamptz, paused_since = $2::timestamptz,
                      paused_by = $3 WHERE NOT is_paused OR paused_until <= statement_timestamp()
                    """,
                    [
                        .optional(pause.until?.description), .text(pause.since.description),
                        .optional(pause.uid.map { String($0) }),
                    ]),
            ])
        }
    }

    // MARK: - Working

    /// While this is held, nobody else puts a message into the queue or takes one out.
    static let claiming = Statement("LOCK TABLE messages IN SHARE ROW EXCLUSIVE MODE")

    @discardableResult
    func using<R>(_ body: (Connection) throws(DatabaseTrouble) -> R) throws(TransferTrouble) -> R {
        for _ in 0..<Self.tries {
            do throws(DatabaseTrouble) {
                return try body(connection)
            } catch {
                // Others were in the way: a deadlock, or a lock that they held for long.
                guard error.isCollision || error.code == "55P03" else { throw TransferTrouble(error) }
            }
        }
        do throws(DatabaseTrouble) {
            return try body(connection)
        } catch {
            throw TransferTrouble(error)
        }
    }

    private static let tries = 5
}

/// Why a move can't go on.
public struct TransferTrouble: Error, Hashable, Sendable, CustomStringConvertible {
    /// Full sentences.
    public let reason: String

    /// Describes what is in the way.
    public init(_ reason: String) { self.reason = reason }

    init(_ trouble: DatabaseTrouble) { self.init(trouble.reason) }

    /// The reason.
    public var description: String { reason }
}
