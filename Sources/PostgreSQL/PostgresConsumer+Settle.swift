public import Bookings

extension PostgresConsumer {
    /// Settles messages. Those that were committed have left the queue in the very transaction that put them into the
    /// table; one whose lease has lapsed is another worker's by now.
    public func settle(_ settlements: [(Receipt, Settlement)], at time: Timestamp) throws(QueueUnavailable) {
        let settled = settlements.compactMap { receipt, settlement in
            inHand[receipt.number].map { ($0, settlement) }
        }
        try write(settled, at: time)
        for (receipt, _) in settlements { inHand[receipt.number] = nil }
        queue.tellSettled(settled.map(\.0))
    }

    /// Writes what becomes of messages that are this worker's; in one transaction.
    func write(_ settled: [(BookingID, Settlement)], at time: Timestamp) throws(QueueUnavailable) {
        var deferred: [Message] = []
        var dead: [Death] = []
        for (id, settlement) in settled {
            switch settlement {
            case .committed: continue
            case .deferred(let message): deferred.append(message)
            case .dead(let failure, let reason, let attempts, let receiveCount):
                dead.append(
                    Death(
                        id: id, class: failure, reason: reason, attempts: attempts, receiveCount: receiveCount
                    ))
            }
        }
        guard !deferred.isEmpty || !dead.isEmpty else { return }
        try use { (connection) throws(DatabaseTrouble) in
            try connection.transaction([deferral(of: deferred, at: time), death(of: dead, at: time)])
        }
    }

    private struct Death {
        let id: BookingID
        let `class`: FailureClass
        let reason: String
        let attempts: [Attempt]
        let receiveCount: Int
    }

    private func deferral(of messages: [Message], at time: Timestamp) -> Statement {
        func column(_ value: (Message) -> String?) -> Statement.Parameter { .array(messages.map(value)) }
        return Statement(
            """
            UPDATE messages m SET place = 'DEFERRED', due = r.due, receive_count = r.receive_count,
              attempts = r.attempts, alone = r.alone, suspect = false, leased_by = NULL, leased_until = NULL
            FROM unnest($1::uuid[], $2::timestamptz[], $3::integer[], $4::text[], $5::boolean[])
              AS r(id, due, receive_count, attempts, alone)
            WHERE m.id = r.id AND m.leased_by = $6::uuid
            """,
            [
                column { $0.id.description }, column { ($0.notBefore ?? time).description },
                column { String($0.receiveCount) }, column { MessageRow.text(of: $0.attempts) },
                column { $0.attempts.last?.class == Attempt.crash ? "t" : "f" }, .text(worker.description),
            ])
    }

    private func death(of letters: [Death], at time: Timestamp) -> Statement {
        func column(_ value: (Death) -> String?) -> Statement.Parameter { .array(letters.map(value)) }
        return Statement(
            """
            UPDATE messages m SET place = 'DEAD', due = NULL, receive_count = r.receive_count, attempts = r.attempts,
              class = r.class, reason = r.reason, dead_on = $6::timestamptz, alone = false, suspect = false,
              leased_by = NULL, leased_until = NULL
            FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[])
              AS r(id, receive_count, attempts, class, reason)
            WHERE m.id = r.id AND m.leased_by = $7::uuid
            """,
            [
                column { $0.id.description }, column { String($0.receiveCount) },
                column { MessageRow.text(of: $0.attempts) }, column { $0.class.rawValue },
                column { $0.reason },
                .text(time.description), .text(worker.description),
            ])
    }
}

extension PostgresQueue {
    /// Tells those who await messages that something has become of these. A payload has less than 8000 bytes.
    func tellSettled(_ ids: [BookingID]) {
        guard !ids.isEmpty else { return }
        let payloads = stride(from: 0, to: ids.count, by: 200).map { start in
            ids[start...].prefix(200).map(\.description).joined(separator: " ")
        }
        hint(Self.settlements, payloads)
    }
}
