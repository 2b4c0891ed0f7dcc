public import Bookings

extension TransferDatabase {
    /// Up to `limit` messages that wait, in the order of their ids, after `last`.
    public func messages(after last: BookingID?, limit: Int) throws(TransferTrouble) -> [StoredMessage] {
        if isAbsent { return [] }
        return try using { (connection) throws(DatabaseTrouble) in
            let rows = try connection.run(
                Statement(
                    """
                    SELECT \(MessageRow.columns), m.place FROM messages m WHERE m.place <> 'DEAD'
                      AND ($1::uuid IS NULL OR m.id > $1::uuid) ORDER BY m.id LIMIT $2
                    """, [.optional(last?.description), .number(limit)]))
            return try Self.messages(in: rows)
        }
    }

    /// Those of these ids that are in the queue, waiting or dead.
    public func messages(withIDs ids: [BookingID]) throws(TransferTrouble) -> [BookingID: StoredMessage] {
        guard !ids.isEmpty, !isAbsent else { return [:] }
        return try using { (connection) throws(DatabaseTrouble) in
            let rows = try connection.run(
                Statement(
                    """
                    SELECT \(MessageRow.columns), m.place FROM messages m
                    WHERE m.id = ANY($1::uuid[]) AND m.start_date IS NOT NULL
                    """, [.array(ids.map(\.description))]))
            return Dictionary(try Self.messages(in: rows).map { ($0.message.id, $0) }) { first, _ in first }
        }
    }

    private static func messages(in rows: Rows) throws(DatabaseTrouble) -> [StoredMessage] {
        var found: [StoredMessage] = []
        for row in rows.all {
            found.append(
                StoredMessage(
                    message: try MessageRow.message(in: row),
                    isDeferred: try row.text(MessageRow.count) == "DEFERRED"))
        }
        return found
    }

    /// What stands against messages that aren't here, neither in the queue nor in the table.
    public func objections(to messages: [StoredMessage]) throws(TransferTrouble) -> [TransferConflict] {
        if isAbsent || messages.isEmpty { return [] }
        return try using { (connection) throws(DatabaseTrouble) in
            let rows = try connection.run(
                Statement(Self.objecting, MessageRow.values(of: messages.map(\.message))))
            return try Self.conflicts(in: rows)
        }
    }

    private static let objecting = """
        SELECT r.id, f.reason, f.id FROM \(MessageRow.writtenRows) CROSS JOIN LATERAL (
          SELECT 1 AS rank, 'The id belongs to another booking there.' AS reason, b.id FROM bookings b WHERE b.id = r.id
            AND (b.user_id, b.apartment_id, b.start_date, b.end_date)
              <> (r.user_id, r.apartment_id, r.start_date, r.end_date)
          UNION ALL SELECT 1, 'The id belongs to another message there.', m.id FROM messages m WHERE m.id = r.id
            AND (m.user_id, m.apartment_id, m.start_date, m.end_date)
              IS DISTINCT FROM (r.user_id, r.apartment_id, r.start_date, r.end_date)
          UNION ALL SELECT 2, 'The user has used its idempotencyKey for the booking % there.', b.id FROM bookings b
            WHERE b.user_id = r.user_id AND b.idempotency_key = r.idempotency_key AND b.id <> r.id
          UNION ALL SELECT 3, 'The user has used its idempotencyKey for the booking % in the queue or among the dead '
            || 'letters there.', m.id FROM messages m WHERE m.user_id = r.user_id
            AND m.idempotency_key = r.idempotency_key AND m.holds AND m.id <> r.id
          UNION ALL SELECT 4, 'The user has the PENDING booking % of the apartment there.', b.id FROM bookings b
            WHERE b.user_id = r.user_id AND b.apartment_id = r.apartment_id AND b.booking_status = 'PENDING'
            AND b.id <> r.id
          UNION ALL SELECT 5, 'The user has the booking % of the apartment in the queue or among the dead letters there.',
            m.id FROM messages m WHERE m.user_id = r.user_id AND m.apartment_id = r.apartment_id AND m.holds
            AND m.id <> r.id) f
        WHERE f.rank = 1 OR NOT EXISTS (SELECT 1 FROM bookings b WHERE b.id = r.id)
          AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = r.id)
        ORDER BY r.id, f.rank, f.id
        """

    /// Puts messages into the queue, in one transaction, as far as they aren't here and nothing stands against them.
    public func insert(_ messages: [StoredMessage]) throws(TransferTrouble) {
        let deferred = messages.filter(\.isDeferred)
        let queued = messages.filter { !$0.isDeferred }
        try using { (connection) throws(DatabaseTrouble) in
            try connection.transaction(
                [Self.claiming]
                    + [("QUEUED", queued), ("DEFERRED", deferred)].map { place, messages in
                        Statement(
                            Self.inserting,
                            MessageRow.values(of: messages.map(\.message)) + [
                                .text(place),
                                .array(messages.filter(\.isAlone).map(\.message.id.description)),
                            ])
                    })
        }
    }

    private static let inserting = """
        INSERT INTO messages (\(MessageRow.writtenColumns), place, alone)
        SELECT r.*, $\(MessageRow.nextParameter), r.id = ANY($\(MessageRow.nextParameter + 1)::uuid[])
        FROM \(MessageRow.writtenRows) WHERE NOT EXISTS (SELECT 1 FROM bookings b WHERE b.id = r.id)
        AND NOT EXISTS (
          SELECT 1 FROM bookings b WHERE b.user_id = r.user_id AND b.apartment_id = r.apartment_id
            AND b.booking_status = 'PENDING')
        AND NOT EXISTS (
          SELECT 1 FROM bookings b WHERE b.user_id = r.user_id AND b.idempotency_key = r.idempotency_key)
        ON CONFLICT DO NOTHING
        """

    // MARK: - Dead letters

    /// Bytes of bodies after which a portion has no more letters.
    private static let portionBytes = 16 << 20

    /// Up to `limit` letters in the order of their ids, after `last`, with their bodies; fewer where these are large.
    public func letters(after last: BookingID?, limit: Int) throws(TransferTrouble) -> [StoredLetter] {
        if isAbsent { return [] }
        return try using { (connection) throws(DatabaseTrouble) in
            try LetterRow.stored(
                where: """
                    m.id IN (
                      SELECT id FROM (
                        SELECT id, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS bytes_before FROM (
                          SELECT id, body FROM messages WHERE place = 'DEAD' AND ($1::uuid IS NULL OR id > $1::uuid)
                          ORDER BY id LIMIT $2) p) q
                      WHERE coalesce(bytes_before, 0) < \(Self.portionBytes)) ORDER BY m.id
                    """,
                [.optional(last?.description), .number(limit)], connection)
        }
    }

    /// Those of these ids that are letters.
    public func letters(withIDs ids: [BookingID]) throws(TransferTrouble) -> [BookingID: StoredLetter] {
        guard !ids.isEmpty, !isAbsent else { return [:] }
        return try using { (connection) throws(DatabaseTrouble) in
            let found = try LetterRow.stored(
                where: "m.id = ANY($1::uuid[])", [.array(ids.map(\.description))], connection)
            return Dictionary(found.map { ($0.id, $0) }) { first, _ in first }
        }
    }

    /// Keeps letters, in one transaction, as far as they aren't here. Each claims what it did, unless another message has
    /// that here. One that was redriven and committed here since stays so.
    public func insert(_ letters: [StoredLetter]) throws(TransferTrouble) {
        try using { (connection) throws(DatabaseTrouble) in
            try connection.transaction([Self.claiming] + LetterRow.insertions(of: letters))
        }
    }
}
