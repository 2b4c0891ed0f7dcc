public import Bookings

/// The accepting half of the queue in the database.
///
/// Uniqueness holds across all hosts in this way: a message's claim and key are unique among all messages. Once a message
/// has them, none with the same can be on its way to the table any more; and then, with what the table shows from that
/// moment on, it is looked at what stands in the table. A message that something in the table stands against goes in the
/// same transaction, seen by nobody.
public final class PostgresQueue: SharedBookingQueue {
    let link: DatabaseLink
    /// The time by which messages are due and leases lapse; nil for the server's.
    let clock: (@Sendable () -> Timestamp)?

    /// - Parameter clock: the time by which messages are due and leases lapse; nil for the server's.
    public init(_ link: DatabaseLink, clock: (@Sendable () -> Timestamp)? = nil) {
        self.link = link
        self.clock = clock
    }

    /// The present time as a parameter of a statement that reads it with ``now(_:)``.
    var time: Statement.Parameter { .optional(clock?().description) }

    /// The present time in SQL: the parameter with this number, or the server's.
    static func now(_ number: Int) -> String { "coalesce($\(number)::timestamptz, statement_timestamp())" }

    /// Makes those messages durable that nothing stands against.
    public func accept(
        _ messages: [Message], again: Bool, room: Int = .max
    ) throws(QueueUnavailable) -> [SharedVerdict] {
        guard !messages.isEmpty else { return [] }
        FaultPoint.reached("front.write")
        // A try that others were in the way of may have made some of them durable.
        var again = again
        var isUndecided = false
        do throws(DatabaseTrouble) {
            let verdicts = try link.retrying { (connection) throws(DatabaseTrouble) in
                do throws(DatabaseTrouble) {
                    return try GroupInsertion(messages, again: again, room: room).run(connection)
                } catch {
                    again = true
                    isUndecided = isUndecided || error.isUndecided
                    throw error
                }
            }
            FaultPoint.reached("front.answer")
            return verdicts
        } catch {
            var trouble = error
            trouble.isUndecided = trouble.isUndecided || isUndecided
            throw trouble.ofQueue
        }
    }

    /// What stands against messages, in the table or the queue.
    public func objections(to messages: [Message]) throws(QueueUnavailable) -> [SharedVerdict?] {
        do throws(DatabaseTrouble) {
            return try link.retrying { (connection) throws(DatabaseTrouble) in
                let found = try Objection.first(
                    against: messages.map { (nil, $0.request) }, withQueue: true, connection)
                let verdicts = zip(messages, found).map { message, objection in
                    objection.map { $0.verdict(on: message.request) }
                }
                // A repeated answer is a promise, which what was only read can't keep.
                if verdicts.contains(where: { if case .repeats = $0 { true } else { false } }) {
                    try connection.transaction([.barrier])
                }
                return verdicts
            }
        } catch {
            // Nothing was to be done.
            var trouble = error
            trouble.isUndecided = false
            throw trouble.ofQueue
        }
    }

    /// Wakes the workers of all hosts.
    public func tellArrivals() { hint(Self.arrivals) }

    /// The channel that tells of new messages.
    static let arrivals = "arrivals"
    /// The channel that tells of settled ones, with their ids.
    static let settlements = "settlements"

    /// Wakes those who listen, in a transaction of its own: notifying ones wait for each other, and are not to make
    /// others' commits wait. What is not told now is found later.
    func hint(_ name: String, _ payloads: [String] = [""]) {
        let channel = link.target.channel(name)
        try? link.use { (connection) throws(DatabaseTrouble) in
            _ = try connection.run(
                Statement(
                    "SELECT pg_notify($1, p) FROM unnest($2::text[]) p", [.text(channel), .array(payloads)]))
        }
    }

    /// How much is in the queue.
    public func counts() throws(QueueUnavailable) -> QueueCounts {
        try look { (connection) throws(DatabaseTrouble) in
            let rows = try connection.run(
                Statement(
                    """
                    SELECT place, leased_until IS NOT NULL AND leased_until >= \(Self.now(1)), count(*),
                      \(MessageRow.time("min(accepted_on)"))
                    FROM messages GROUP BY 1, 2
                    """, [time]))
            var counts = QueueCounts()
            for row in rows.all {
                let count = try row.integer(2)
                switch try row.text(0) {
                case "DEAD":
                    counts.dead += count
                    continue
                case _ where row.flag(1): counts.active += count
                case "QUEUED": counts.incoming += count
                default: counts.deferred += count
                }
                counts.oldest = [counts.oldest, try row.time(3)].compactMap(\.self).min()
            }
            return counts
        }
    }

    /// Where a message is in the queue, and what it says.
    public func message(_ id: BookingID) throws(QueueUnavailable) -> (progress: Progress, message: Message)? {
        try look { (connection) throws(DatabaseTrouble) in
            let row = try connection.run(
                Statement(
                    "SELECT \(MessageRow.columns), m.place FROM messages m WHERE id = $1 AND start_date IS NOT NULL",
                    [.text(id.description)])
            ).first
            guard let row else { return nil }
            return (try Self.progress(row.text(MessageRow.count)), try MessageRow.message(in: row))
        }
    }

    /// How many dead letters of each class there are.
    public func letterClasses() throws(QueueUnavailable) -> [FailureClass: Int] {
        try look { (connection) throws(DatabaseTrouble) in
            let rows = try connection.run(
                Statement("SELECT class, count(*) FROM messages WHERE place = 'DEAD' GROUP BY 1"))
            var counts: [FailureClass: Int] = [:]
            for row in rows.all {
                if let failure = FailureClass(rawValue: try row.text(0)) {
                    counts[failure] = try row.integer(1)
                }
            }
            return counts
        }
    }

    /// Which of these are in the table or the queue.
    public func known(among ids: [BookingID]) throws(QueueUnavailable) -> Set<BookingID> {
        guard !ids.isEmpty else { return [] }
        return try look { (connection) throws(DatabaseTrouble) in
            let rows = try connection.run(
                Statement(
                    """
                    SELECT id FROM messages WHERE id = ANY($1::uuid[])
                    UNION SELECT id FROM bookings WHERE id = ANY($1::uuid[])
                    """, [.array(ids.map(\.description))]))
            return try rows.ids()
        }
    }

    /// Takes what can't be refused any more; in one transaction, which marks each item as taken.
    public func forward(
        _ items: [Forwarded], from spool: String, at time: Timestamp
    ) throws(QueueUnavailable) -> [SetAside?] {
        guard !items.isEmpty else { return [] }
        return try use { (connection) throws(DatabaseTrouble) in
            try connection.inTransaction { () throws(DatabaseTrouble) in
                try Forwarding(items, from: spool, at: time).run(connection)
            }
        }
    }

    /// What was taken from a spool and not forgotten.
    public func marks(of spool: String) throws(QueueUnavailable) -> [BookingID: [BookingID]] {
        try look { (connection) throws(DatabaseTrouble) in
            let rows = try connection.run(
                Statement("SELECT message, mark FROM forwarded WHERE spool = $1", [.text(spool)]))
            var marks: [BookingID: [BookingID]] = [:]
            for row in rows.all { marks[try row.id(0), default: []].append(try row.id(1)) }
            return marks
        }
    }

    /// Forgets that items were taken.
    public func forget(_ marks: [BookingID]) throws(QueueUnavailable) {
        try use { (connection) throws(DatabaseTrouble) in
            try connection.run(
                Statement(
                    "DELETE FROM forwarded WHERE mark = ANY($1::uuid[])", [.array(marks.map(\.description))]))
        }
    }

    static func hex(_ bytes: [UInt8]) -> String {
        var text = Array("\\x".utf8)
        text.reserveCapacity(2 + 2 * bytes.count)
        let digits = Array("0123456789abcdef".utf8)
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 0xf)]] }
        return String(decoding: text, as: UTF8.self)
    }

    static func progress(_ place: String) -> Progress {
        switch place {
        case "DEFERRED": .deferred
        case "DEAD": .deadLettered
        default: .queued
        }
    }

    @discardableResult
    private func use<R>(_ body: (Connection) throws(DatabaseTrouble) -> R) throws(QueueUnavailable) -> R {
        do {
            return try link.retrying(body)
        } catch {
            throw error.ofQueue
        }
    }

    private func look<R>(_ body: (Connection) throws(DatabaseTrouble) -> R) throws(QueueUnavailable) -> R {
        do {
            return try link.reading(body)
        } catch {
            throw error.ofQueue
        }
    }
}
