public import Bookings

/// The table in the database, for a worker.
public struct PostgresTable: BookingTable, PostgresQueries {
    /// Reaches the database.
    public let link: DatabaseLink
    private let worker: BookingID
    private let queue: PostgresQueue

    /// - Parameter consumer: what is committed was received by it, on the same connection.
    public init(_ consumer: PostgresConsumer) {
        link = consumer.link
        worker = consumer.worker
        queue = consumer.queue
    }

    /// Applies a batch in one transaction, in which what is committed leaves the queue as well. A message that this worker
    /// has lost to another counts as committed already: it is no longer its business.
    public func apply(_ batch: [Message], deadLettered: Int) throws(TableUnavailable) -> [ApplyOutcome] {
        do {
            return try apply(batch.map(\.id), of: batch, deadLettered)
        } catch  where error.concernsOneRow {
            // One message, or a trigger's opinion about it, must not fail its neighbours.
            var outcomes: [ApplyOutcome] = []
            for (number, message) in batch.enumerated() {
                // Counted with the last, so that they are not counted twice when a message can't be applied.
                let count = number == batch.count - 1 ? deadLettered : 0
                do {
                    outcomes += try apply([message.id], of: [message], count)
                } catch  where error.concernsOneRow {
                    outcomes.append(.failed(reason: error.reason))
                } catch {
                    throw error.ofTable
                }
            }
            return outcomes
        } catch {
            if error.code == Self.paused { throw TableUnavailable(.paused, reason: error.reason) }
            throw error.ofTable
        }
    }

    /// A code of no class that the server uses.
    private static let paused = "ACMS1"

    private func apply(
        _ ids: [BookingID], of batch: [Message], _ deadLettered: Int
    ) throws(DatabaseTrouble) -> [ApplyOutcome] {
        let parameters: [Statement.Parameter] = [
            .array(ids.map(\.description)), .text(worker.description), .number(deadLettered),
            .number(Int(worker.low % 16)), queue.time,
        ]
        let rows = try link.retrying { (connection) throws(DatabaseTrouble) in
            try connection.transaction([
                // Whoever pauses the committing waits for those who hold it.
                Statement("SELECT pg_advisory_xact_lock_shared(\(Lock.committing.key(link.target)))"),
                Statement(
                    "SELECT \(PostgresConsumer.isRunning(PostgresQueue.now(1))) FROM control", [queue.time]),
                Statement(Self.application, parameters),
            ])
        }
        FaultPoint.reached("worker.apply")
        if !batch.isEmpty, rows[1].first?.flag(0) != true {
            throw DatabaseTrouble(.server(Self.paused), "The committing is paused.")
        }
        var outcomes: [BookingID: ApplyOutcome] = [:]
        for row in rows[2].all { outcomes[try row.id(0)] = .committed }
        let refused = batch.filter { outcomes[$0.id] == nil }
        if !refused.isEmpty {
            for (message, outcome) in zip(refused, try explain(refused)) { outcomes[message.id] = outcome }
        }
        return batch.map { outcomes[$0.id] ?? .failed(reason: "The database gave no answer.") }
    }

    private static let application =
        """
        WITH mine AS MATERIALIZED (
          SELECT * FROM messages WHERE id = ANY($1::uuid[]) AND leased_by = $2::uuid
            AND EXISTS (SELECT 1 FROM control WHERE \(PostgresConsumer.isRunning(PostgresQueue.now(5)))) FOR UPDATE),
        done AS (
          INSERT INTO bookings (id, user_id, apartment_id, start_date, end_date, booking_status, created_on, updated_on,
            idempotency_key)
          SELECT id, user_id, apartment_id, start_date, end_date, 'PENDING', accepted_on, accepted_on, idempotency_key
          FROM mine ORDER BY accepted_on, id ON CONFLICT DO NOTHING RETURNING id),
        gone AS (DELETE FROM messages m USING done WHERE m.id = done.id),
        counted AS (
          UPDATE totals SET committed = committed + (SELECT count(*) FROM done), dead_lettered = dead_lettered + $3
          WHERE slot = $4 AND ($3::bigint > 0 OR cardinality($1::uuid[]) = 0 OR EXISTS (SELECT 1 FROM done)))
        SELECT id FROM done
        """

    /// Why messages could not be inserted.
    private func explain(_ messages: [Message]) throws(DatabaseTrouble) -> [ApplyOutcome] {
        try link.retrying { (connection) throws(DatabaseTrouble) in
            let ids = Statement.Parameter.array(messages.map(\.id.description))
            let rows = try connection.run(
                Statement(
                    "SELECT id FROM messages WHERE id = ANY($1::uuid[]) AND leased_by = $2::uuid",
                    [ids, .text(worker.description)]))
            let mine = try rows.ids()
            let found = try Objection.first(
                against: messages.map { ($0.id, $0.request) }, withQueue: false, connection)
            var outcomes: [ApplyOutcome] = []
            for (message, objection) in zip(messages, found) {
                guard mine.contains(message.id) else {
                    outcomes.append(.alreadyCommitted)
                    continue
                }
                outcomes.append(try outcome(for: message, objection, connection))
            }
            return outcomes
        }
    }

    private func outcome(
        for message: Message, _ objection: Objection?, _ connection: Connection
    ) throws(DatabaseTrouble) -> ApplyOutcome {
        switch objection?.kind {
        case .id where objection?.isMade(from: message.request) == true:
            try connection.transaction([
                Statement(
                    "DELETE FROM messages WHERE id = $1 AND leased_by = $2::uuid",
                    [.text(message.id.description), .text(worker.description)])
            ])
            return .alreadyCommitted
        case .id:
            return .poison(reason: "The id \(message.id) belongs to another booking, which is in the table.")
        case .key:
            return .poison(
                reason:
                    "The user has used its idempotencyKey for the booking \(objection?.id.description ?? ""), which was committed first."
            )
        case .claim:
            return .poison(
                reason:
                    "The user has the PENDING booking \(objection?.id.description ?? "") of this apartment, which was committed first."
            )
        case .stay, nil:
            // What stood against it has gone, or a trigger has left it out.
            return .failed(reason: "The table has not taken it and gave no reason.")
        }
    }

    /// Approves a PENDING booking and cancels the PENDING ones of the apartment that overlap it.
    public func approve(_ id: BookingID, at time: Timestamp) throws(TableUnavailable) -> Decision {
        guard let apartment = try booking(id)?.apartmentId else { return .notFound }
        return try decide { (connection) throws(DatabaseTrouble) in
            // One approval of an apartment's bookings at a time, so that two don't each cancel the other's.
            try connection.run(
                Statement(
                    "SELECT pg_advisory_xact_lock(hashtextextended($1, \(Lock.committing.key(link.target))))",
                    [.text(apartment)]))
            guard let booking = try locked(id, connection) else { return .notFound }
            guard booking.bookingStatus == .pending else { return .wrongStatus(booking.bookingStatus) }
            let stay: [Statement.Parameter] = [
                .text(booking.apartmentId), .text(booking.startDate), .text(booking.endDate),
            ]
            let overlapping =
                "apartment_id = $1 AND daterange(start_date, end_date) && daterange($2::date, $3::date)"
            let approved = try connection.run(
                Statement(
                    """
                    SELECT \(BookingColumns.all) FROM bookings WHERE \(overlapping) AND booking_status = 'APPROVED'
                    ORDER BY start_date LIMIT 1
                    """, stay)
            ).first
            if let approved { return .notAvailable(try BookingColumns.booking(in: approved)) }
            let changed = try set(.approved, of: booking, at: time, connection)
            let cancelled = try BookingColumns.bookings(
                in: connection.run(
                    Statement(
                        """
                        SELECT \(BookingColumns.all) FROM bookings WHERE \(overlapping) AND booking_status = 'PENDING'
                        ORDER BY created_on, id FOR UPDATE
                        """, stay)))
            for other in cancelled { _ = try set(.cancelled, of: other, at: time, connection) }
            return .decided(changed, cancelled: cancelled)
        }
    }

    /// Cancels a PENDING or APPROVED booking.
    public func cancel(_ id: BookingID, at time: Timestamp) throws(TableUnavailable) -> Decision {
        try decide { (connection) throws(DatabaseTrouble) in
            guard let booking = try locked(id, connection) else { return .notFound }
            guard booking.bookingStatus != .cancelled else { return .wrongStatus(.cancelled) }
            return .decided(try set(.cancelled, of: booking, at: time, connection), cancelled: [])
        }
    }

    /// Cancels bookings that are PENDING for too long; those that another worker is just about to are left to it.
    public func expirePending(
        createdBefore time: Timestamp, limit: Int, at now: Timestamp
    ) throws(TableUnavailable) -> [Booking] {
        let expired: [Booking]
        do {
            expired = try link.retrying { (connection) throws(DatabaseTrouble) in
                try BookingColumns.bookings(
                    in: connection.transaction([
                        Statement(
                            """
                            UPDATE bookings SET booking_status = 'CANCELLED', updated_on = $1::timestamptz WHERE id IN (
                              SELECT id FROM bookings WHERE booking_status = 'PENDING' AND created_on < $2::timestamptz
                              ORDER BY created_on, id LIMIT $3 FOR UPDATE SKIP LOCKED)
                            RETURNING \(BookingColumns.all)
                            """, [.text(now.description), .text(time.description), .number(limit)])
                    ])[0])
            }
        } catch {
            throw error.ofTable
        }
        return expired.sorted { ($0.createdOn, $0.id) < ($1.createdOn, $1.id) }
    }

    private func decide(
        _ body: (Connection) throws(DatabaseTrouble) -> Decision
    ) throws(TableUnavailable) -> Decision {
        do {
            return try link.retrying { (connection) throws(DatabaseTrouble) in
                try connection.inTransaction { () throws(DatabaseTrouble) in
                    let decision = try body(connection)
                    // It can be that of an earlier call which was told that it isn't known.
                    if case .wrongStatus = decision { try connection.run(.barrier) }
                    return decision
                }
            }
        } catch {
            guard error.isUndecided else { throw error.ofTable }
            throw TableUnavailable(
                .cannotOpen,
                reason:
                    "\(error.reason) Whether the decision was made is not known: look at the booking once more."
            )
        }
    }

    private func locked(_ id: BookingID, _ connection: Connection) throws(DatabaseTrouble) -> Booking? {
        let row = try connection.run(
            Statement(
                "SELECT \(BookingColumns.all) FROM bookings WHERE id = $1 FOR UPDATE", [.text(id.description)]
            )
        ).first
        guard let row else { return nil }
        return try BookingColumns.booking(in: row)
    }

    private func set(
        _ status: BookingStatus, of booking: Booking, at time: Timestamp, _ connection: Connection
    ) throws(DatabaseTrouble) -> Booking {
        _ = try connection.run(
            Statement(
                "UPDATE bookings SET booking_status = $1, updated_on = $2::timestamptz WHERE id = $3",
                [.text(status.rawValue), .text(time.description), .text(booking.id)]))
        var booking = booking
        booking.bookingStatus = status
        booking.updatedOn = time
        return booking
    }
}
