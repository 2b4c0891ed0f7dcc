import Bookings
import Spool
import Varlink

extension QueueWorker {
    /// What was done with some dead letters, and what could not be.
    struct LettersDone {
        var ids: [BookingID] = []
        var failed: [QueueInterface.LetterFailure] = []

        fileprivate mutating func fail(_ id: BookingID, _ error: String, _ reason: String) {
            failed.append(.init(id: id.description, error: error, reason: reason))
        }

        fileprivate mutating func fail(
            _ id: BookingID, _ obstacle: RedriveObstacle, _ filter: DeadLetterFilter?
        ) {
            switch obstacle {
            case .notFound:
                fail(id, QueueInterface.DeadLetterNotFound.errorName, QueueWorker.notThere(filter))
            case .invalid(let reason):
                fail(id, BookingsInterface.InvalidInput.errorName, reason)
            case .claimed:
                fail(
                    id, BookingsInterface.PendingBookingExists.errorName,
                    "Another message in the queue has its user and apartment, or its idempotencyKey. Wait until that "
                        + "is committed, or delete one of them.")
            }
        }
    }

    /// The ids of up to `limit` letters that match, in order, after the letter `last`.
    func letterIDs(
        matching filter: DeadLetterFilter, limit: Int, after last: BookingID?
    ) throws(ErrorReply) -> [BookingID] {
        do {
            return try reader.letterIDs(matching: filter, limit: limit, after: last)
        } catch {
            throw ErrorReply(QueueInterface.StorageUnavailable(reason: error.reason))
        }
    }

    /// Puts letters back into the queue, all that can be at once. Each is judged as a new booking is.
    ///
    /// - Parameters:
    ///   - filter: letters that do not match it stay; nil for none.
    ///   - input: what to book instead; nil for what the letters hold.
    ///   - dryRun: whether only to tell what would be done.
    func redrive(
        _ ids: [BookingID], matching filter: DeadLetterFilter?, input: CreateBookingInput?, dryRun: Bool,
        by peer: Peer
    ) -> LettersDone {
        var done = LettersDone()
        var messages: [Message] = []
        do {
            try takeNothing()
            for id in ids {
                do {
                    messages.append(try consumer.redrivable(id, matching: filter, replacing: input))
                } catch let obstacle as RedriveObstacle {
                    done.fail(id, obstacle, filter)
                }
            }
            messages = try withoutRefused(messages, &done)
            if !messages.isEmpty {
                let obstacles =
                    dryRun
                    ? try consumer.obstacles(to: messages)
                    : try consumer.redrive(messages, as: .version7(at: now(), random: Self.random()))
                for message in messages {
                    if let obstacle = obstacles[message.id] { done.fail(message.id, obstacle, filter) }
                }
                messages.removeAll { obstacles[$0.id] != nil }
                if !dryRun {
                    if !messages.isEmpty { report.redriven(messages, by: peer) }
                    wake.yield()
                }
            }
            done.ids = messages.map(\.id)
        } catch {
            // Nothing was changed; those that have failed already keep their own reason.
            for id in ids where !done.failed.contains(where: { $0.id == id.description }) {
                done.fail(id, QueueInterface.StorageUnavailable.errorName, Self.reason(of: error))
            }
        }
        return done
    }

    /// Deletes letters for good.
    ///
    /// - Parameters:
    ///   - filter: letters that do not match it stay; nil for none.
    ///   - dryRun: whether only to tell what would be done.
    func delete(
        _ ids: [BookingID], matching filter: DeadLetterFilter?, dryRun: Bool, by peer: Peer
    ) -> LettersDone {
        var done = LettersDone()
        do {
            try takeNothing()
            var there: [BookingID] = []
            for id in ids {
                if try consumer.hasLetter(id, matching: filter) {
                    there.append(id)
                } else {
                    done.fail(id, QueueInterface.DeadLetterNotFound.errorName, Self.notThere(filter))
                }
            }
            let failures = dryRun || there.isEmpty ? [:] : try consumer.delete(there)
            for (id, failure) in failures.sorted(by: { $0.key < $1.key }) {
                switch failure {
                case .notFound:
                    done.fail(id, QueueInterface.DeadLetterNotFound.errorName, Self.notThere(filter))
                case .unavailable(let reason):
                    done.fail(id, QueueInterface.StorageUnavailable.errorName, reason)
                }
            }
            done.ids = there.filter { failures[$0] == nil }
            if !dryRun, !done.ids.isEmpty { report.deleted(done.ids, by: peer) }
        } catch {
            for id in ids where !done.failed.contains(where: { $0.id == id.description }) {
                done.fail(id, QueueInterface.StorageUnavailable.errorName, Self.reason(of: error))
            }
        }
        return done
    }

    /// The messages that the table would not refuse.
    private func withoutRefused(_ messages: [Message], _ done: inout LettersDone) throws -> [Message] {
        guard !messages.isEmpty else { return [] }
        let verdicts: [TableVerdict]
        do {
            verdicts = try table.verdicts(on: messages.map(\.request))
        } catch {
            // No worker has committed anything yet.
            if error.kind == .missing { return messages }
            throw error
        }
        var free: [Message] = []
        for (message, verdict) in zip(messages, verdicts) {
            if let (error, reason) = verdict.refusal(of: message.id) {
                done.fail(message.id, error, reason)
            } else {
                free.append(message)
            }
        }
        return free
    }

    fileprivate static func notThere(_ filter: DeadLetterFilter?) -> String {
        filter == nil
            ? "No dead letter has this id." : "No dead letter has this id and matches the filter."
    }

    static func reason(of error: any Error) -> String {
        (error as? TableUnavailable)?.reason ?? (error as? QueueUnavailable)?.reason ?? "\(error)"
    }

    private static func random() -> (UInt64, UInt64) { (.random(in: 0 ... .max), .random(in: 0 ... .max)) }
}

extension TableVerdict {
    /// Why a letter must stay: the full name of an error, and the reason; nil when it may go back. What stands in
    /// the table under the letter's own id does not stand against it.
    fileprivate func refusal(of id: BookingID) -> (error: String, reason: String)? {
        switch self {
        case .free:
            return nil
        case .repeats(let other), .keyReused(let other):
            if other == id.description { return nil }
            return (
                BookingsInterface.IdempotencyKeyReused.errorName,
                "The user has used its idempotencyKey for the booking \(other)."
            )
        case .pendingExists(let other):
            if other == id.description { return nil }
            return (
                BookingsInterface.PendingBookingExists.errorName,
                "The user has the PENDING booking \(other) of this apartment. Have it decided, or delete the letter."
            )
        case .notAvailable(let other, let start, let end):
            if other == id.description { return nil }
            return (
                BookingsInterface.ApartmentNotAvailable.errorName,
                "The apartment is taken from \(start) to \(end) by the booking \(other). Redrive it with other dates, "
                    + "or delete the letter."
            )
        }
    }
}
