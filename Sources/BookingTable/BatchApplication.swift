import Bookings
import GRDB

/// Applies one batch: one transaction, a savepoint a message.
struct BatchApplication {
    private let batch: [Message]
    private let deadLettered: Int
    private let path: String

    init(_ batch: [Message], _ deadLettered: Int, path: String) {
        self.batch = batch
        self.deadLettered = deadLettered
        self.path = path
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
        try db.beginTransaction(.immediate)
        do {
            var outcomes: [ApplyOutcome] = []
            for (number, message) in batch.enumerated() {
                if let outcome = excluded[number] {
                    outcomes.append(outcome)
                    continue
                }
                let outcome = try apply(message, db)
                guard db.isInsideTransaction else {
                    excluded[number] = outcome
                    return nil
                }
                outcomes.append(outcome)
            }
            let committed = outcomes.count { $0 == .committed }
            if committed > 0 || deadLettered > 0 {
                try db.cachedStatement(
                    sql: "UPDATE totals SET committed = committed + ?, deadLettered = deadLettered + ?"
                ).execute(arguments: [committed, deadLettered])
            }
            FaultPoint.reached("worker.apply")
            try db.commit()
            return outcomes
        } catch {
            if db.isInsideTransaction { try? db.rollback() }
            throw error
        }
    }

    private func apply(_ message: Message, _ db: Database) throws -> ApplyOutcome {
        if let present = try BookingRow.booking(db, message.id) {
            return present.isMade(from: message)
                ? .alreadyCommitted
                : .poison(reason: "The id \(message.id) belongs to another booking, which is in the table.")
        }
        try db.cachedStatement(sql: "SAVEPOINT message").execute()
        do {
            try insert(Booking(message), db)
            try db.cachedStatement(sql: "RELEASE message").execute()
            return .committed
        } catch let error as DatabaseError {
            if let trouble = TableUnavailable(error, path: path) { throw trouble }
            if db.isInsideTransaction {
                try db.cachedStatement(sql: "ROLLBACK TO message").execute()
                try db.cachedStatement(sql: "RELEASE message").execute()
            }
            return try outcome(of: error, message, db)
        }
    }

    private func insert(_ booking: Booking, _ db: Database) throws {
        try db.cachedStatement(
            sql: "INSERT INTO bookings (\(BookingRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            booking.id, booking.userId, booking.apartmentId, booking.startDate, booking.endDate,
            booking.bookingStatus.rawValue, booking.createdOn.description, booking.updatedOn.description,
        ])
    }

    private func outcome(of error: DatabaseError, _ message: Message, _ db: Database) throws -> ApplyOutcome {
        let request = message.request
        if error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE,
            let other = try BookingRow.pendingID(db, user: request.userID, apartment: request.apartmentID)
        {
            return .poison(
                reason:
                    "The user has the PENDING booking \(other) of this apartment, which was committed first.")
        }
        return .failed(
            reason: "The table refused it: \(error.message ?? "no message") (SQLite code "
                + "\(error.extendedResultCode.rawValue)).")
    }
}

extension Booking {
    /// Whether this is what became of `message`, whatever was decided about it since.
    fileprivate func isMade(from message: Message) -> Bool {
        let request = message.request
        return userId.utf8.elementsEqual(request.userID.utf8)
            && apartmentId.utf8.elementsEqual(request.apartmentID.utf8)
            && startDate == request.stay.start.description && endDate == request.stay.end.description
    }
}
