import Bookings
import CSQLite
import GRDB
import GRDBSQLite

/// How a message is inserted, in one transaction.
struct Insertion {
    private let insert: Prepared
    /// Nil when a statement that fails leaves nothing by itself.
    private let savepoint: Savepoint?
    private let db: Database

    /// Looks at the table's triggers; the transaction must have begun.
    init(_ db: Database) throws {
        self.db = db
        let others = try Prepared(
            db,
            """
            SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'bookings' COLLATE NOCASE
            AND sql NOT IN (?, ?)
            """
        ).first([TableSchema.overlapWhenApproved, TableSchema.overlapWhenInserted]) { _ in true }
        if others ?? false {
            savepoint = try Savepoint(db)
            insert = try Prepared(db, Self.sql)
        } else {
            // The table's own trigger is about APPROVED bookings, which are never inserted here. Compiled in, it
            // makes SQLite keep a copy of every page that an INSERT changes: a third of the time.
            savepoint = nil
            acms_enable_triggers(db.sqliteConnection, 0)
            defer { acms_enable_triggers(db.sqliteConnection, 1) }
            // With a text of its own, so that it is not taken for the other one in the cache.
            insert = try Prepared(db, "\(Self.sql) -- without triggers")
        }
    }

    private static let sql = """
        INSERT INTO bookings (\(BookingRow.columns), idempotencyKey)
        VALUES (?, ?, ?, ?, ?, 'PENDING', ?, ?, NULLIF(?, ''))
        """

    /// Inserts a message, or throws and leaves nothing of it.
    ///
    /// - Returns: false when a trigger has left it out.
    func run(_ message: Message) throws -> Bool {
        let (request, acceptedOn) = (message.request, message.acceptedOn.description)
        try savepoint?.begin()
        do {
            try insert.run(
                message.id.description, request.userID, request.apartmentID, request.stay.start.description,
                request.stay.end.description, acceptedOn, acceptedOn, request.idempotencyKey ?? "")
            let isInserted = sqlite3_changes(db.sqliteConnection) == 1
            try savepoint?.release()
            return isInserted
        } catch let error as DatabaseError {
            // After trouble with the table as a whole, or RAISE(ROLLBACK), there may be no transaction any more.
            if db.isInsideTransaction, TableDiagnosis.kind(of: error.resultCode) == nil {
                try savepoint?.rollBack()
            }
            throw error
        }
    }
}

/// Takes back what a message and the triggers that it set off have changed.
private struct Savepoint {
    private let set, releaseIt, rollBackTo: Prepared

    init(_ db: Database) throws {
        set = try Prepared(db, "SAVEPOINT message")
        releaseIt = try Prepared(db, "RELEASE message")
        rollBackTo = try Prepared(db, "ROLLBACK TO message")
    }

    func begin() throws { try set.run() }

    func release() throws { try releaseIt.run() }

    func rollBack() throws {
        try rollBackTo.run()
        try releaseIt.run()
    }
}
