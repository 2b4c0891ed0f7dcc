import Bookings
import FoundationEssentials
import Spool

/// A dead letter as a row of `messages`.
struct LetterRow {
    let letter: DeadLetter
    /// What it holds, if that is a booking.
    let message: Message?

    private static let columns = """
        \(MessageRow.columns), m.class, m.reason, \(MessageRow.time("m.dead_on")), m.body_size
        """

    /// - Parameter bodyBytes: how much of its body is wanted.
    private init(_ row: Row, bodyBytes: Int) throws(DatabaseTrouble) {
        let isBooking = row.optionalText(3) != nil
        message = isBooking ? try MessageRow.message(in: row) : nil
        guard let failure = FailureClass(rawValue: try row.text(MessageRow.count)) else {
            throw Row.damaged(MessageRow.count)
        }
        var whole = try row.optionalBytes(MessageRow.count + 4) ?? []
        if let message { whole = try Self.line(of: message) }
        let size = try row.optionalNumber(MessageRow.count + 3) ?? whole.count
        let bytes = Array(whole.prefix(bodyBytes))
        let isTruncated = bytes.count < size
        let text = DeadLetterStore.text(bytes, mayEndInside: isTruncated)
        let redriveCount = try row.integer(12)
        letter = DeadLetter(
            id: try row.text(0), class: failure, reason: try row.text(MessageRow.count + 1),
            deadOn: try row.time(MessageRow.count + 2), receiveCount: try row.integer(11),
            userId: row.optionalText(1),
            apartmentId: row.optionalText(2), attempts: try MessageRow.attempts(row.optionalText(13), 13),
            body: text ?? Data(bytes).base64EncodedString(), bodyIsBase64: text == nil, bodySize: size,
            bodyIsTruncated: isTruncated ? true : nil, bodyFile: nil,
            redriveCount: redriveCount > 0 ? redriveCount : nil)
    }

    /// A message as a line of the spool has it: what a program that puts it in by hand would write.
    private static func line(of message: Message) throws(DatabaseTrouble) -> [UInt8] {
        do {
            return Array(try MessageLine.encode(message).dropLast())
        } catch {
            throw Row.damaged(13)
        }
    }

    /// One letter; nil when there is none, or it does not match.
    static func stored(
        _ id: BookingID, matching filter: DeadLetterFilter?, bodyBytes: Int, _ connection: Connection
    ) throws(DatabaseTrouble) -> LetterRow? {
        try page(
            of: "m.id = $6", [.text(id.description)], matching: filter, limit: 1, bodyBytes: bodyBytes,
            connection
        ).first
    }

    /// Up to `limit` letters that match, in order of id, after the letter `last`.
    static func page(
        after last: BookingID?, matching filter: DeadLetterFilter?, limit: Int, bodyBytes: Int,
        _ connection: Connection
    ) throws(DatabaseTrouble) -> [LetterRow] {
        try page(
            of: "($6::uuid IS NULL OR m.id > $6::uuid)", [.optional(last?.description)], matching: filter,
            limit: limit, bodyBytes: bodyBytes, connection)
    }

    private static func page(
        of condition: String, _ parameters: [Statement.Parameter], matching filter: DeadLetterFilter?,
        limit: Int,
        bodyBytes: Int, _ connection: Connection
    ) throws(DatabaseTrouble) -> [LetterRow] {
        let rows = try connection.run(
            Statement(
                """
                SELECT \(columns), substring(m.body FROM 1 FOR $7::integer) FROM messages m WHERE m.place = 'DEAD'
                  AND ($1::text IS NULL OR m.class = $1) AND ($2::text IS NULL OR strpos(m.reason, $2) > 0)
                  AND ($3::text IS NULL OR m.user_id = $3) AND ($4::text IS NULL OR m.apartment_id = $4)
                  AND ($5::timestamptz IS NULL OR m.dead_on < $5::timestamptz) AND \(condition)
                ORDER BY m.id LIMIT $8
                """,
                [
                    .optional(filter?.class?.rawValue), .optional(filter?.reasonContains),
                    .optional(filter?.userId),
                    .optional(filter?.apartmentId), .optional(filter?.deadBefore?.description),
                ] + parameters + [.number(bodyBytes), .number(limit)]))
        var letters: [LetterRow] = []
        for row in rows.all { letters.append(try LetterRow(row, bodyBytes: bodyBytes)) }
        return letters
    }
}
