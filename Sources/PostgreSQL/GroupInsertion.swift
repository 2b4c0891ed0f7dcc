import Bookings

/// Judges messages and makes them durable, on one connection.
struct GroupInsertion {
    private let messages: [Message]
    private let again: Bool

    init(_ messages: [Message], again: Bool) {
        self.messages = messages
        self.again = again
    }

    /// What stands against a message can be gone when one looks what it was.
    private static let rounds = 8

    func run(_ connection: Connection) throws(DatabaseTrouble) -> [SharedVerdict] {
        var verdicts = [SharedVerdict?](repeating: nil, count: messages.count)
        for _ in 0..<Self.rounds {
            let open = verdicts.indices.filter { verdicts[$0] == nil }
            let accepted = try insert(open.map { messages[$0] }, connection)
            var refused: [Int] = []
            for number in open {
                if accepted.contains(messages[number].id) {
                    verdicts[number] = .accepted
                } else {
                    refused.append(number)
                }
            }
            if refused.isEmpty { break }
            for (number, verdict) in zip(refused, try explain(refused.map { messages[$0] }, connection)) {
                verdicts[number] = verdict
            }
        }
        let decided = verdicts.compactMap(\.self)
        guard decided.count == messages.count else {
            throw DatabaseTrouble(
                .server("40001"), "Too many others book the same at this moment; call again.")
        }
        return decided
    }

    /// - Returns: those that are durable in the queue now.
    private func insert(_ messages: [Message], _ connection: Connection) throws(DatabaseTrouble) -> Set<
        BookingID
    > {
        let ids = Statement.Parameter.array(messages.map(\.id.description))
        // In one order for all, so that those who want the same don't wait for each other in a circle; sorting keeps the
        // order of those that want the same.
        let ordered = messages.sorted {
            ($0.request.userID, $0.request.apartmentID) < ($1.request.userID, $1.request.apartmentID)
        }
        let rows = try connection.transaction([
            Statement(Self.insertion, MessageRow.values(of: ordered)),
            Statement(again ? Self.withdrawalOfRepeats : Self.withdrawal, [ids]),
        ])
        var accepted: Set<BookingID> = []
        for row in rows[0].all { accepted.insert(try row.id(0)) }
        for row in rows[1].all { accepted.remove(try row.id(0)) }
        return accepted
    }

    private static let insertion = """
        INSERT INTO messages (\(MessageRow.writtenColumns), place)
        SELECT r.*, CASE WHEN r.due IS NULL THEN 'QUEUED' ELSE 'DEFERRED' END FROM \(MessageRow.writtenRows)
        ON CONFLICT DO NOTHING RETURNING id
        """

    /// Sees all that was committed before the claims were had, because each statement has a snapshot of its own. Rows of
    /// this very transaction only: one that an earlier try has made stays.
    private static let withdrawal = withdrawal(or: "")
    private static let withdrawalOfRepeats = withdrawal(
        or: "OR EXISTS (SELECT 1 FROM bookings b WHERE b.id = m.id)")

    private static func withdrawal(or condition: String) -> String {
        """
        DELETE FROM messages m WHERE m.id = ANY($1::uuid[]) AND m.xmin = pg_current_xact_id()::xid AND (
          EXISTS (SELECT 1 FROM bookings b WHERE b.user_id = m.user_id AND b.apartment_id = m.apartment_id
            AND b.booking_status = 'PENDING')
          OR m.idempotency_key IS NOT NULL AND EXISTS (SELECT 1 FROM bookings b WHERE b.user_id = m.user_id
            AND b.idempotency_key = m.idempotency_key)
          OR EXISTS (SELECT 1 FROM bookings b WHERE b.apartment_id = m.apartment_id
            AND daterange(b.start_date, b.end_date) && daterange(m.start_date, m.end_date)
            AND b.booking_status = 'APPROVED')
          \(condition))
        RETURNING m.id
        """
    }

    /// What stands against messages that could not be inserted; nil where nothing does any more.
    private func explain(
        _ messages: [Message], _ connection: Connection
    ) throws(DatabaseTrouble) -> [SharedVerdict?] {
        let found = try Objection.first(
            against: messages.map { ($0.id, $0.request) }, withQueue: true, connection)
        return zip(messages, found).map { message, objection in
            objection.map { $0.verdict(on: message.request) }
        }
    }
}

extension Objection {
    fileprivate func verdict(on request: BookingRequest) -> SharedVerdict {
        switch kind {
        case .id: isMade(from: request) ? .accepted : .idTaken
        case .key: isMade(from: request) ? .repeats(id) : .keyReused(id)
        case .claim: .pendingExists(id, progress)
        case .stay: .notAvailable(id: id, startDate: start ?? "", endDate: end ?? "")
        }
    }
}
