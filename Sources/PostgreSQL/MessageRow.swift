import Bookings
import FoundationEssentials
import Varlink

/// A message as a row of `messages`.
enum MessageRow {
    /// What `message(in:)` reads, in its order, of a table named `m`.
    static let columns = """
        m.id, m.user_id, m.apartment_id, m.start_date, m.end_date, m.idempotency_key, \(time("m.accepted_on")),
        m.peer_uid, m.peer_gid, m.peer_pid, m.trace_parent, m.receive_count, m.redrive_count, m.attempts,
        \(time("m.due"))
        """
    /// How many columns those are.
    static let count: Int32 = 15

    /// A time in milliseconds since 1970.
    static func time(_ column: String) -> String { "(extract(epoch FROM \(column)) * 1000)::bigint" }

    /// The message of a row that holds one.
    static func message(in row: Row) throws(DatabaseTrouble) -> Message {
        guard let stay = Stay(from: try row.date(3), to: try row.date(4)),
            let request = BookingRequest(
                userID: try row.text(1), apartmentID: try row.text(2), stay: stay,
                idempotencyKey: row.optionalText(5))
        else { throw Row.damaged(1) }
        return Message(
            id: try row.id(0), acceptedOn: try row.time(6), peer: try peer(in: row), request: request,
            receiveCount: try row.integer(11), attempts: try attempts(row.optionalText(13), 13),
            notBefore: try row.optionalTime(14), redriveCount: try row.integer(12),
            traceParent: row.optionalText(10).flatMap(TraceParent.init(_:)))
    }

    private static func peer(in row: Row) throws(DatabaseTrouble) -> Peer? {
        guard let uid = try row.optionalNumber(7).flatMap(UInt32.init(exactly:)),
            let gid = try row.optionalNumber(8).flatMap(UInt32.init(exactly:)),
            let pid = try row.optionalNumber(9).flatMap(Int32.init(exactly:))
        else { return nil }
        return Peer(uid: uid, gid: gid, pid: pid)
    }

    static func attempts(_ text: String?, _ column: Int32) throws(DatabaseTrouble) -> [Attempt] {
        guard let text else { return [] }
        do {
            return try JSONDecoder().decode([Attempt].self, from: Data(text.utf8))
        } catch {
            throw Row.damaged(column)
        }
    }

    /// - Returns: nil for none.
    static func text(of attempts: [Attempt]) -> String? {
        guard !attempts.isEmpty else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(attempts)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The columns that ``values(of:)`` gives, in its order, and their types.
    private static let written: [(name: String, type: String)] = [
        ("id", "uuid"), ("user_id", "text"), ("apartment_id", "text"), ("start_date", "date"),
        ("end_date", "date"),
        ("idempotency_key", "text"), ("accepted_on", "timestamptz"), ("peer_uid", "bigint"),
        ("peer_gid", "bigint"),
        ("peer_pid", "bigint"), ("trace_parent", "text"), ("receive_count", "integer"),
        ("redrive_count", "integer"),
        ("attempts", "text"), ("due", "timestamptz"),
    ]

    static let writtenColumns = written.map(\.name).joined(separator: ", ")

    /// A table of the messages that ``values(of:)`` gives as the first parameters.
    static let writtenRows =
        "unnest("
        + written.enumerated().map { "$\($0.offset + 1)::\($0.element.type)[]" }.joined(separator: ", ")
        + ") AS r(\(writtenColumns))"

    static let nextParameter = written.count + 1

    /// The messages, an array a column.
    static func values(of messages: [Message]) -> [Statement.Parameter] {
        func column(_ value: (Message) -> String?) -> Statement.Parameter { .array(messages.map(value)) }
        return [
            column { $0.id.description }, column { $0.request.userID }, column { $0.request.apartmentID },
            column { $0.request.stay.start.description }, column { $0.request.stay.end.description },
            column { $0.request.idempotencyKey }, column { $0.acceptedOn.description },
            column { $0.peer.map { String($0.uid) } }, column { $0.peer.map { String($0.gid) } },
            column { $0.peer.map { String($0.pid) } }, column { $0.traceParent?.description },
            column { String($0.receiveCount) }, column { String($0.redriveCount) },
            column { text(of: $0.attempts) }, column { $0.notBefore?.description },
        ]
    }
}
