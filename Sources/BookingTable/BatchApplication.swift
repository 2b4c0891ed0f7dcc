import Bookings
import GRDB

/// Applies one batch: one transaction, a savepoint a message.
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
        // the others are applied again.
        var excluded: [Int: ApplyOutcome] = [:]
        while true {
            if let outcomes = try attempt(db, &excluded) { return outcomes }
        }
    }

    /// - Returns: nil when a message took the transaction back; it is excluded now.
    private func attempt(_ db: Database, _ excluded: inout [Int: ApplyOutcome]) throws -> [ApplyOutcome]? {
        let statements = try Statements(db)
        try db.beginTransaction(.immediate)
        do {
            var outcomes: [ApplyOutcome] = []
            for (number, message) in batch.enumerated() {
                if let outcome = excluded[number] {
                    outcomes.append(outcome)
                    continue
                }
                let outcome = try apply(message, statements, db)
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

    private func apply(_ message: Message, _ statements: Statements, _ db: Database) throws -> ApplyOutcome {
        if try statements.find.first([message.id.description], { _ in true }) ?? false {
            return try BookingRow.booking(db, message.id)?.isMade(from: message.request) ?? false
                ? .alreadyCommitted
                : .poison(reason: "The id \(message.id) belongs to another booking, which is in the table.")
        }
        try statements.savepoint.run()
        do {
            try insert(message, statements)
            try statements.release.run()
            return .committed
        } catch let error as DatabaseError {
            if TableDiagnosis.kind(of: error.resultCode) != nil { throw error }
            if db.isInsideTransaction {
                try statements.rollBack.run()
                try statements.release.run()
            }
            return try outcome(of: error, message, db)
        }
    }

    private func insert(_ message: Message, _ statements: Statements) throws {
        let (request, acceptedOn) = (message.request, message.acceptedOn.description)
        try statements.insert.run(
            message.id.description, request.userID, request.apartmentID, request.stay.start.description,
            request.stay.end.description, BookingStatus.pending.rawValue, acceptedOn, acceptedOn,
            request.idempotencyKey ?? "")
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

/// What runs for every message, looked up once a batch.
private struct Statements {
    let find, savepoint, insert, release, rollBack: Prepared

    init(_ db: Database) throws {
        find = try Prepared(db, "SELECT 1 FROM bookings WHERE id = ?")
        savepoint = try Prepared(db, "SAVEPOINT message")
        insert = try Prepared(
            db,
            """
            INSERT INTO bookings (\(BookingRow.columns), idempotencyKey)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULLIF(?, ''))
            """)
        release = try Prepared(db, "RELEASE message")
        rollBack = try Prepared(db, "ROLLBACK TO message")
    }
}
