import Bookings

// A letter as it is moved from one engine to another.
extension LetterRow {
    private static let head = "m.class, m.reason, \(MessageRow.time("m.dead_on")), m.body_size, m.body"

    /// Letters with their whole bodies.
    static func stored(
        where condition: String, _ parameters: [Statement.Parameter], _ connection: Connection
    ) throws(DatabaseTrouble) -> [StoredLetter] {
        let rows = try connection.run(
            Statement(
                "SELECT \(MessageRow.columns), \(head) FROM messages m WHERE m.place = 'DEAD' AND \(condition)",
                parameters))
        var found: [StoredLetter] = []
        for row in rows.all { found.append(try stored(row)) }
        return found
    }

    private static func stored(_ row: Row) throws(DatabaseTrouble) -> StoredLetter {
        let first = MessageRow.count
        guard let failure = FailureClass(rawValue: try row.text(first)) else { throw Row.damaged(first) }
        let content: StoredLetter.Content
        if row.optionalText(3) != nil {
            content = .message(try MessageRow.message(in: row))
        } else {
            let bytes = try row.optionalBytes(first + 4) ?? []
            content = .bytes(bytes, size: try row.optionalNumber(first + 3) ?? bytes.count)
        }
        return StoredLetter(
            id: try row.id(0), failure: failure, reason: try row.text(first + 1),
            deadOn: try row.time(first + 2), receiveCount: try row.integer(11),
            redriveCount: try row.integer(12), userID: row.optionalText(1), apartmentID: row.optionalText(2),
            attempts: try MessageRow.attempts(row.optionalText(13), 13), content: content)
    }

    /// What inserts letters; first those that are bookings with their claims, then again those that can't have them.
    static func insertions(of letters: [StoredLetter]) -> [Statement] {
        let bookings = letters.filter { $0.message != nil }
        let values = MessageRow.values(of: bookings.compactMap(\.message))
        func column(_ value: (StoredLetter) -> String) -> Statement.Parameter { .array(bookings.map(value)) }
        let heads = [
            column(\.id.description), column(\.failure.rawValue), column(\.reason),
            column(\.deadOn.description),
        ]
        let next = MessageRow.nextParameter
        let statements = [true, false].map { holds in
            Statement(
                """
                INSERT INTO messages (\(MessageRow.writtenColumns), place, holds, class, reason, dead_on)
                SELECT r.*, 'DEAD', $\(next + 4)::boolean, h.class, h.reason, h.dead_on
                FROM \(MessageRow.writtenRows) JOIN unnest($\(next)::uuid[], $\(next + 1)::text[],
                  $\(next + 2)::text[], $\(next + 3)::timestamptz[]) AS h(id, class, reason, dead_on) ON h.id = r.id
                WHERE NOT EXISTS (
                  SELECT 1 FROM bookings b WHERE b.id = r.id AND (b.user_id, b.apartment_id, b.start_date, b.end_date)
                    = (r.user_id, r.apartment_id, r.start_date, r.end_date))
                ON CONFLICT DO NOTHING
                """, values + heads + [.flag(holds)])
        }
        return statements + letters.compactMap(insertion)
    }

    /// What inserts a letter that is no booking.
    private static func insertion(of letter: StoredLetter) -> Statement? {
        guard case .bytes(let bytes, let size) = letter.content else { return nil }
        return Statement(
            """
            INSERT INTO messages (id, place, holds, user_id, apartment_id, accepted_on, receive_count, redrive_count,
              attempts, class, reason, dead_on, body, body_size)
            VALUES ($1, 'DEAD', false, $2, $3, $4, $5, $6, $7, $8, $9, $4, $10::bytea, $11)
            ON CONFLICT (id) DO NOTHING
            """,
            [
                .text(letter.id.description), .optional(letter.userID), .optional(letter.apartmentID),
                .text(letter.deadOn.description), .number(letter.receiveCount), .number(letter.redriveCount),
                .optional(MessageRow.text(of: letter.attempts)), .text(letter.failure.rawValue),
                .text(letter.reason), .text(PostgresQueue.hex(bytes)), .number(size),
            ])
    }
}
