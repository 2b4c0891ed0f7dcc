import Bookings

/// Judges messages and makes them durable, on one connection.
struct GroupInsertion {
    private let messages: [Message]
    private let again: Bool
    private let room: Int

    init(_ messages: [Message], again: Bool, room: Int) {
        self.messages = messages
        self.again = again
        self.room = room
    }

    func run(_ connection: Connection) throws(DatabaseTrouble) -> [SharedVerdict] {
        var inserted: Set<BookingID> = []
        do {
            return try judge(&inserted, connection)
        } catch {
            // Whatever has failed since, these are durable.
            var trouble = error
            if !inserted.isEmpty { trouble.isUndecided = true }
            throw trouble
        }
    }

    private func judge(
        _ inserted: inout Set<BookingID>, _ connection: Connection
    ) throws(DatabaseTrouble) -> [SharedVerdict] {
        var arrivals = Arrivals(messages, room: room)
        let verdicts = try arrivals.judged(on: connection) { (candidates) throws(DatabaseTrouble) in
            let rows = try connection.transaction(Self.statements(candidates, again ? .repeated : .new))
            let accepted = try Self.inserted(rows)
            inserted.formUnion(accepted)
            return accepted
        }
        guard let verdicts else {
            throw DatabaseTrouble(
                .server("40001"), "Too many others book the same at this moment; call again.")
        }
        let promisesWhatIsThere = zip(messages, verdicts).contains { message, verdict in
            switch verdict {
            case .accepted: !inserted.contains(message.id)
            case .repeats: true
            default: false
            }
        }
        if promisesWhatIsThere {
            try connection.transaction([.barrier])
        }
        return verdicts
    }

    /// What is known of messages.
    enum Kind {
        /// Nobody has seen them.
        case new
        /// They may be in the table already.
        case repeated
        /// They may be in the table already, and nobody can be told that the apartment is taken.
        case promised
    }

    /// Inserts messages, and takes those back that something in the table stands against; in a transaction.
    static func statements(_ messages: [Message], _ kind: Kind) -> [Statement] {
        // In one order for all, so that those who want the same don't wait for each other in a circle.
        let ordered = messages.sorted {
            ($0.request.userID, $0.request.apartmentID) < ($1.request.userID, $1.request.apartmentID)
        }
        let ids = Statement.Parameter.array(messages.map(\.id.description))
        let withdrawal =
            switch kind {
            case .new: withdrawalOfNew
            case .repeated: withdrawalOfRepeated
            case .promised: withdrawalOfPromised
            }
        return [Statement(insertion, MessageRow.values(of: ordered)), Statement(withdrawal, [ids])]
    }

    /// - Parameter rows: of ``statements(_:_:)``.
    /// - Returns: the messages that stay.
    static func inserted(_ rows: [Rows]) throws(DatabaseTrouble) -> Set<BookingID> {
        try rows[0].ids().subtracting(rows[1].ids())
    }

    private static let insertion = """
        INSERT INTO messages (\(MessageRow.writtenColumns), place)
        SELECT r.*, CASE WHEN r.due IS NULL THEN 'QUEUED' ELSE 'DEFERRED' END FROM \(MessageRow.writtenRows)
        ON CONFLICT DO NOTHING RETURNING id
        """

    // Each sees all that was committed before the claims were had, because each statement has a snapshot of its own. Rows
    // of this very transaction only: one that an earlier try has made stays.
    private static let withdrawalOfNew = withdrawal([isClaimed, isKeyUsed, isTaken])
    private static let withdrawalOfRepeated = withdrawal([isClaimed, isKeyUsed, isTaken, isThere])
    private static let withdrawalOfPromised = withdrawal([isClaimed, isKeyUsed, isThere])

    private static let isClaimed = """
        b.user_id = m.user_id AND b.apartment_id = m.apartment_id AND b.booking_status = 'PENDING'
        """
    private static let isKeyUsed = "b.user_id = m.user_id AND b.idempotency_key = m.idempotency_key"
    private static let isTaken = """
        b.apartment_id = m.apartment_id AND daterange(b.start_date, b.end_date) && daterange(m.start_date, m.end_date)
        AND b.booking_status = 'APPROVED'
        """
    private static let isThere = "b.id = m.id"

    private static func withdrawal(_ conditions: [String]) -> String {
        let found = conditions.map { "EXISTS (SELECT 1 FROM bookings b WHERE \($0))" }
        return """
            DELETE FROM messages m WHERE m.id = ANY($1::uuid[]) AND m.xmin = pg_current_xact_id()::xid
            AND (\(found.joined(separator: " OR "))) RETURNING m.id
            """
    }
}

extension Objection {
    func verdict(on request: BookingRequest) -> SharedVerdict {
        switch kind {
        case .id: isMade(from: request) ? .accepted : .idTaken
        case .key: isMade(from: request) ? .repeats(id) : .keyReused(id)
        case .claim: .pendingExists(id, progress)
        case .stay: .notAvailable(id: id, startDate: start ?? "", endDate: end ?? "")
        }
    }
}
