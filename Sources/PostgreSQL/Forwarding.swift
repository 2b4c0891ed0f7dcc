import Bookings

/// Takes what hosts have promised or found in their spools, in a transaction that has begun.
struct Forwarding {
    private let items: [Forwarded]
    private let spool: String
    private let time: Timestamp

    init(_ items: [Forwarded], from spool: String, at time: Timestamp) {
        self.items = items
        self.spool = spool
        self.time = time
    }

    /// - Returns: for each item the dead letter that it became just now.
    func run(_ connection: Connection) throws(DatabaseTrouble) -> [SetAside?] {
        var letters = [SetAside?](repeating: nil, count: items.count)
        let new = try mark(connection)
        // The others are let go because of what an earlier try has written.
        if new.count < items.count { try connection.run(.barrier) }
        let messages = new.compactMap { number -> (number: Int, message: Message)? in
            if case .message(let message) = items[number] { (number, message) } else { nil }
        }
        for ((number, message), verdict) in zip(messages, try judge(messages.map(\.message), connection)) {
            guard let reason = Self.reason(verdict, message) else { continue }
            letters[number] = try setAside(message, reason, connection)
        }
        // Whatever id they name, it may be one that a message was promised.
        for number in new {
            guard case .poison(let poison, let body, let size) = items[number] else { continue }
            letters[number] = try setAside(poison, body, size, items[number].mark, connection)
        }
        return letters
    }

    /// Takes those messages that nothing stands against but that the apartment is taken.
    private func judge(
        _ messages: [Message], _ connection: Connection
    ) throws(DatabaseTrouble) -> [SharedVerdict] {
        var arrivals = Arrivals(messages)
        let verdicts = try arrivals.judged(on: connection, ignoring: .stay) {
            (candidates) throws(DatabaseTrouble) in
            try GroupInsertion.inserted(connection.run(GroupInsertion.statements(candidates, .promised)))
        }
        guard let verdicts else {
            throw DatabaseTrouble(.server("40001"), "Too many others book the same at this moment.")
        }
        return verdicts
    }

    /// Marks the items as taken.
    ///
    /// - Returns: the numbers of those that were not.
    private func mark(_ connection: Connection) throws(DatabaseTrouble) -> [Int] {
        var numbers: [BookingID: Int] = [:]
        for (number, item) in items.enumerated().reversed() { numbers[item.mark] = number }
        let marks = numbers.keys.sorted()
        let rows = try connection.run(
            Statement(
                """
                INSERT INTO forwarded (mark, message, spool) SELECT mark, message, $3
                FROM unnest($1::uuid[], $2::uuid[]) AS r(mark, message) ON CONFLICT DO NOTHING RETURNING mark
                """,
                [
                    .array(marks.map(\.description)),
                    .array(marks.map { mark in numbers[mark].map { items[$0].id.description } }),
                    .text(spool),
                ]))
        var new: [Int] = []
        for row in rows.all {
            if let number = numbers[try row.id(0)] { new.append(number) }
        }
        return new.sorted()
    }

    /// Why a message becomes a dead letter; nil when it is this very one that is there.
    private static func reason(_ verdict: SharedVerdict, _ message: Message) -> String? {
        switch verdict {
        case .accepted, .full: nil
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

    /// Keeps bytes that can never be committed as a dead letter, under an id of its own where something else has the one
    /// that they name.
    ///
    /// - Returns: the letter; nil when these very bytes are there already.
    private func setAside(
        _ poison: Poison, _ body: [UInt8], _ size: Int, _ mark: BookingID, _ connection: Connection
    ) throws(DatabaseTrouble) -> SetAside? {
        let attempts = poison.attempts + [Attempt(on: time, class: Attempt.poison, reason: poison.reason)]
        let bytes = Statement.Parameter.text(PostgresQueue.hex(body))
        for id in [poison.id, mark] {
            let letter = Statement(
                """
                INSERT INTO messages (id, place, holds, user_id, apartment_id, accepted_on, receive_count, attempts,
                  class, reason, dead_on, body, body_size)
                SELECT $1::uuid, 'DEAD', false, $2, $3, $4::timestamptz, $5, $6, 'POISON', $7, $4::timestamptz, $8::bytea, $9
                WHERE NOT EXISTS (SELECT 1 FROM bookings WHERE id = $1::uuid)
                ON CONFLICT (id) DO NOTHING RETURNING id
                """,
                [
                    .text(id.description), .optional(poison.userID), .optional(poison.apartmentID),
                    .text(time.description), .number(poison.receiveCount + 1),
                    .optional(MessageRow.text(of: attempts)), .text(poison.reason),
                    bytes, .number(size),
                ])
            if try insert(letter, connection) { return SetAside(id: id, reason: poison.reason) }
            let isThere = try connection.run(
                Statement(
                    """
                    SELECT FROM messages WHERE id = $1 AND place = 'DEAD' AND body = $2::bytea AND body_size = $3
                    """, [.text(id.description), bytes, .number(size)]))
            if isThere.count > 0 { return nil }
        }
        return nil
    }

    /// Keeps a message as a dead letter that claims nothing, under an id of its own where another booking has the
    /// message's.
    ///
    /// - Returns: the letter; nil when it is there already.
    private func setAside(
        _ message: Message, _ reason: String, _ connection: Connection
    ) throws(DatabaseTrouble) -> SetAside? {
        var letter = message
        letter.receiveCount += 1
        letter.attempts.append(Attempt(on: time, class: Attempt.poison, reason: reason))
        let number = MessageRow.nextParameter
        let sql = """
            INSERT INTO messages (\(MessageRow.writtenColumns), place, holds, class, reason, dead_on)
            SELECT r.*, 'DEAD', false, 'POISON', $\(number), $\(number + 1)::timestamptz
            FROM \(MessageRow.writtenRows) WHERE NOT EXISTS (SELECT 1 FROM bookings b WHERE b.id = r.id)
            ON CONFLICT (id) DO NOTHING RETURNING id
            """
        for id in [letter.id, Forwarded.message(message).mark] {
            letter.id = id
            let parameters = MessageRow.values(of: [letter]) + [.text(reason), .text(time.description)]
            if try insert(Statement(sql, parameters), connection) { return SetAside(id: id, reason: reason) }
        }
        return nil
    }

    /// - Returns: whether it is new.
    private func insert(_ letter: Statement, _ connection: Connection) throws(DatabaseTrouble) -> Bool {
        guard try connection.run(letter).count == 1 else { return false }
        try connection.run([
            Statement(
                "UPDATE totals SET dead_lettered = dead_lettered + 1 WHERE slot = pg_backend_pid() % 16")
        ])
        return true
    }
}
