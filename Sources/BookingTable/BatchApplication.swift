import Bookings
import GRDB

/// Applies one batch: one transaction, in which each message either is inserted whole or leaves nothing.
///
/// SQLite gives a single INSERT that by itself (https://www.sqlite.org/lang_conflict.html, ABORT). Somebody else's
/// trigger can do more than refuse; while the table has one, each message gets a savepoint of its own.
struct BatchApplication {
    private let batch: [Message]
    private let deadLettered: Int

    init(_ batch: [Message], _ deadLettered: Int) {
        self.batch = batch
        self.deadLettered = deadLettered
    }

    /// Runs it on a connection that is in no transaction.
    ///
    /// - Throws: an error that concerns the table as a whole; then nothing was changed.
    func run(_ db: Database) throws -> [ApplyOutcome] {
        // A trigger can take the whole transaction back (RAISE(ROLLBACK)). Whoever caused it is left out, and
        // the others are applied again; in small pieces, lest one that does so often takes all the time.
        var excluded: [Int: ApplyOutcome] = [:]
        while true {
            if let outcomes = try attempt(db, &excluded) { return outcomes }
            if batch.count > Self.pieceSize { return try inPieces(db) }
        }
    }

    private static let pieceSize = 10

    private func inPieces(_ db: Database) throws -> [ApplyOutcome] {
        try stride(from: 0, to: batch.count, by: Self.pieceSize).flatMap { start in
            let piece = batch[start...].prefix(Self.pieceSize)
            // Counted with the last, so that they are not counted twice when a piece can't be applied.
            return try BatchApplication(Array(piece), piece.endIndex == batch.count ? deadLettered : 0).run(
                db)
        }
    }

    /// - Returns: nil when a message took the transaction back; it is excluded now.
    private func attempt(_ db: Database, _ excluded: inout [Int: ApplyOutcome]) throws -> [ApplyOutcome]? {
        try db.beginTransaction(.immediate)
        do {
            // Nobody can add a trigger from here on.
            let insertion = try Insertion(db)
            var outcomes: [ApplyOutcome] = []
            for (number, message) in batch.enumerated() {
                if let outcome = excluded[number] {
                    outcomes.append(outcome)
                    continue
                }
                let outcome = try apply(message, insertion, db)
                guard db.isInsideTransaction else {
                    excluded[number] = outcome
                    return nil
                }
                outcomes.append(outcome)
            }
            let committed = outcomes.count { $0 == .committed }
            if committed > 0 || deadLettered > 0 {
                try Prepared(
                    db,
                    """
                    UPDATE totals SET committed = committed + CAST(? AS INTEGER),
                    deadLettered = deadLettered + CAST(? AS INTEGER)
                    """
                ).run(String(committed), String(deadLettered))
            }
            if batch.isEmpty && deadLettered == 0 { try writeNothingNew(db) }
            FaultPoint.reached("worker.apply")
            try db.commit()
            return outcomes
        } catch {
            if db.isInsideTransaction { try? db.rollback() }
            throw error
        }
    }

    /// Makes the commit write a page and sync it, though nothing is changed. A transaction without a write succeeds
    /// on a disk that is full, failing or read-only, and would say that such a table works.
    private func writeNothingNew(_ db: Database) throws {
        for step in ["+", "-"] { try Prepared(db, "UPDATE totals SET committed = committed \(step) 1").run() }
    }

    private func apply(_ message: Message, _ insertion: Insertion, _ db: Database) throws -> ApplyOutcome {
        var refusal: DatabaseError?
        do {
            if try insertion.run(message) { return .committed }
        } catch let error as DatabaseError {
            if TableDiagnosis.kind(of: error.resultCode) != nil { throw error }
            refusal = error
        }
        // Only now is it looked for, because nearly none is there already.
        if let known = try BookingRow.booking(db, message.id) {
            return known.isMade(from: message.request)
                ? .alreadyCommitted
                : .poison(reason: "The id \(message.id) belongs to another booking, which is in the table.")
        }
        guard let refusal else {
            return .failed(reason: "A trigger of the table has left it out and gave no reason.")
        }
        return try outcome(of: refusal, message, db)
    }

    private func outcome(of error: DatabaseError, _ message: Message, _ db: Database) throws -> ApplyOutcome {
        let request = message.request
        if error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE {
            if let key = request.idempotencyKey,
                let other = try BookingRow.booking(db, user: request.userID, key: key)
            {
                return .poison(
                    reason:
                        "The user has used its idempotencyKey for the booking \(other.id), which was committed first."
                )
            }
            if let other = try BookingRow.pendingID(
                db, user: request.userID, apartment: request.apartmentID)
            {
                return .poison(
                    reason:
                        "The user has the PENDING booking \(other) of this apartment, which was committed first."
                )
            }
        }
        return .failed(
            reason: "The table refused it: \(error.message ?? "no message") (SQLite code "
                + "\(error.extendedResultCode.rawValue)).")
    }
}
