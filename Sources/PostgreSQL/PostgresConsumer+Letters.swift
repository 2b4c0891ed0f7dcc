public import Bookings

extension PostgresConsumer {
    /// Counts messages.
    public func counts() throws(QueueUnavailable) -> QueueCounts { try queue.counts() }

    /// Where a message waits; nil when it is not in the queue.
    public func progress(of id: BookingID) throws(QueueUnavailable) -> Progress? {
        let row = try use { (connection) throws(DatabaseTrouble) in
            try connection.run(Statement("SELECT place FROM messages WHERE id = $1", [.text(id.description)]))
                .first
        }
        return row?.optionalText(0).map(PostgresQueue.progress)
    }

    /// Whether a letter is there, and matches the filter.
    public func hasLetter(_ id: BookingID, matching filter: DeadLetterFilter?) throws(QueueUnavailable)
        -> Bool
    {
        try use { (connection) throws(DatabaseTrouble) in
            try LetterRow.stored(id, matching: filter, bodyBytes: 0, connection) != nil
        }
    }

    /// The message that a letter would be in the queue.
    public func redrivable(
        _ id: BookingID, matching filter: DeadLetterFilter?, replacing input: CreateBookingInput?
    ) throws -> Message {
        let found = try use { (connection) throws(DatabaseTrouble) in
            try LetterRow.stored(id, matching: filter, bodyBytes: 0, connection)
        }
        guard let found else { throw RedriveObstacle.notFound }
        let letter = found.letter
        return try Message(
            redriving: found.message.map { .success($0) } ?? .failure(Poison(id: id, reason: letter.reason)),
            of: id,
            deadOn: letter.deadOn, attempts: letter.attempts, redriveCount: letter.redriveCount ?? 0,
            replacing: input)
    }

    /// Those whose claim or key another message has.
    public func obstacles(to messages: [Message]) throws(QueueUnavailable) -> [BookingID: RedriveObstacle] {
        let claimed = try use { (connection) throws(DatabaseTrouble) in
            let rows = try connection.run(
                Statement(
                    """
                    SELECT r.id FROM \(MessageRow.writtenRows) WHERE EXISTS (
                      SELECT FROM messages m WHERE m.holds AND m.id <> r.id AND m.user_id = r.user_id
                        AND m.apartment_id = r.apartment_id)
                    OR EXISTS (
                      SELECT FROM messages m WHERE m.holds AND m.id <> r.id AND m.user_id = r.user_id
                        AND m.idempotency_key = r.idempotency_key)
                    """, MessageRow.values(of: messages)))
            return try rows.ids()
        }
        // Those that go back hold their own against those behind them.
        var taken: Set<Hold> = []
        var obstacles: [BookingID: RedriveObstacle] = [:]
        for message in messages {
            if claimed.contains(message.id) || !taken.isDisjoint(with: message.holds) {
                obstacles[message.id] = .claimed
            } else {
                taken.formUnion(message.holds)
            }
        }
        return obstacles
    }

    /// Puts letters' messages back into the queue. A letter stays whose claim or key another message has.
    public func redrive(
        _ messages: [Message], as name: BookingID
    ) throws(QueueUnavailable) -> [BookingID: RedriveObstacle] {
        var obstacles: [BookingID: RedriveObstacle] = [:]
        for message in messages {
            do {
                let isThere = try link.retrying { (connection) throws(DatabaseTrouble) in
                    try connection.transaction([revival(of: message)])[0].count == 1
                }
                if !isThere { obstacles[message.id] = .notFound }
            } catch  where error.code == "23505" {
                obstacles[message.id] = .claimed
            } catch {
                // Those before it are back already, and this one and the others can be asked for again.
                guard message.id != messages.first?.id else { throw error.ofQueue }
                obstacles[message.id] = .invalid(reason: error.reason)
            }
        }
        FaultPoint.reached("worker.redrive")
        queue.tellSettled(messages.map(\.id))
        queue.hint(PostgresQueue.arrivals)
        return obstacles
    }

    /// One that killed the worker is tried by itself again, so that it can't harm its neighbours.
    private func revival(of message: Message) -> Statement {
        let isSuspect = message.attempts.last?.class == Attempt.crash
        return Statement(
            """
            UPDATE messages m SET place = CASE WHEN $\(MessageRow.nextParameter)::boolean THEN 'DEFERRED' ELSE 'QUEUED' END,
              holds = true, alone = $\(MessageRow.nextParameter)::boolean, user_id = r.user_id,
              apartment_id = r.apartment_id, start_date = r.start_date, end_date = r.end_date,
              idempotency_key = r.idempotency_key, trace_parent = r.trace_parent, receive_count = 0,
              redrive_count = r.redrive_count, attempts = r.attempts,
              due = CASE WHEN $\(MessageRow.nextParameter)::boolean THEN r.accepted_on END,
              class = NULL, reason = NULL, dead_on = NULL, body = NULL, body_size = NULL
            FROM \(MessageRow.writtenRows)
            WHERE m.id = r.id AND m.place = 'DEAD' AND m.redrive_count < r.redrive_count RETURNING m.id
            """, MessageRow.values(of: [message]) + [.flag(isSuspect)])
    }

    /// Deletes letters for good.
    public func delete(_ ids: [BookingID]) throws(QueueUnavailable) -> [BookingID: DeletionObstacle] {
        let deleted = try use { (connection) throws(DatabaseTrouble) in
            let rows = try connection.transaction([
                Statement(
                    "DELETE FROM messages WHERE id = ANY($1::uuid[]) AND place = 'DEAD' RETURNING id",
                    [.array(ids.map(\.description))])
            ])[0]
            return try rows.ids()
        }
        FaultPoint.reached("worker.delete")
        queue.tellSettled(Array(deleted))
        return Dictionary(uniqueKeysWithValues: Set(ids).subtracting(deleted).map { ($0, .notFound) })
    }
}
