public import Bookings
import GRDB
import GRDBSQLite

/// The table for the one process that writes it: SQLite in WAL mode, synced at every commit.
///
/// The file is created when it has never been there. One that was there and is gone is not begun anew while this
/// process lives: an empty table in its place would let everything be booked twice.
public final class SQLiteTable: BookingTable, SQLiteQueries {
    let connection: TableConnection
    private let path: String

    /// Writes the table at `path`; it is opened at the first use.
    public init(path: String) {
        self.path = path
        connection = TableConnection(path: path, create: true, open: Self.open)
    }

    private static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.label = "acms.writer"
        // Nobody else writes; a lock that lasts longer is somebody's mistake and shown as an outage.
        configuration.busyMode = .timeout(0.25)
        configuration.prepareDatabase { db in
            // Readers of another user can't make the -wal and -shm files, so they must stay when this closes.
            var keep: Int32 = 1
            sqlite3_file_control(db.sqliteConnection, "main", SQLITE_FCNTL_PERSIST_WAL, &keep)
        }
        let isNewer = { (queue: DatabaseQueue) in
            try queue.read { try TableSchema.migrator.hasBeenSuperseded($0) }
        }
        if try TableFile.at(path) != nil {
            // Looked at read-only first: a newer file must not be touched, not even its journal mode.
            var looking = Configuration()
            looking.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: looking)
            defer { try? queue.close() }
            if try isNewer(queue) { throw TableUnavailable.newerSchema(path) }
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { db in
            // GRDB sets NORMAL after prepareDatabase; a commit must be durable before its spool file goes.
            try db.execute(sql: "PRAGMA synchronous = FULL")
            // The -wal file may grow to what one checkpoint of the default 1,000 pages needs and is cut after a
            // longer read has kept it from that.
            try db.execute(sql: "PRAGMA journal_size_limit = 16777216")
        }
        try TableSchema.migrator.migrate(queue)
        return queue
    }

    /// Applies a batch in one transaction.
    public func apply(_ batch: [Message], deadLettered: Int) throws(TableUnavailable) -> [ApplyOutcome] {
        try connection.use { [path] queue in
            try queue.writeWithoutTransaction {
                try BatchApplication(batch, deadLettered, path: path).run($0)
            }
        }
    }

    /// Approves a PENDING booking.
    public func approve(_ id: BookingID, at time: Timestamp) throws(TableUnavailable) -> Decision {
        try write { db in
            guard let booking = try BookingRow.booking(db, id) else { return .notFound }
            guard booking.bookingStatus == .pending else { return .wrongStatus(booking.bookingStatus) }
            let overlapping = try BookingRow.approved(
                db, apartment: booking.apartmentId, start: booking.startDate, end: booking.endDate)
            if let overlapping { return .notAvailable(overlapping) }
            try Self.set(.approved, of: booking.id, at: time, in: db)
            let cancelled = try String.fetchAll(
                db,
                sql: """
                    SELECT id FROM bookings WHERE apartmentId = ? AND bookingStatus = 'PENDING'
                    AND startDate < ? AND endDate > ? ORDER BY createdOn, id
                    """, arguments: [booking.apartmentId, booking.endDate, booking.startDate])
            for other in cancelled { try Self.set(.cancelled, of: other, at: time, in: db) }
            return .decided(try BookingRow.booking(db, id) ?? booking, cancelled: cancelled)
        }
    }

    /// Cancels a PENDING or APPROVED booking.
    public func cancel(_ id: BookingID, at time: Timestamp) throws(TableUnavailable) -> Decision {
        try write { db in
            guard let booking = try BookingRow.booking(db, id) else { return .notFound }
            guard booking.bookingStatus != .cancelled else { return .wrongStatus(.cancelled) }
            try Self.set(.cancelled, of: booking.id, at: time, in: db)
            return .decided(try BookingRow.booking(db, id) ?? booking, cancelled: [])
        }
    }

    /// Messages committed and dead-lettered since the table was created.
    public func totals() throws(TableUnavailable) -> (committed: Int, deadLettered: Int) {
        try connection.use { queue in
            try queue.read { db in
                let row = try Row.fetchOne(db, sql: "SELECT committed, deadLettered FROM totals")
                return (row?[0] ?? 0, row?[1] ?? 0)
            }
        }
    }

    private func write(_ body: (Database) throws -> Decision) throws(TableUnavailable) -> Decision {
        try connection.use { queue in
            try queue.writeWithoutTransaction { db in
                var decision = Decision.notFound
                try db.inTransaction(.immediate) {
                    decision = try body(db)
                    return .commit
                }
                return decision
            }
        }
    }

    private static func set(_ status: BookingStatus, of id: String, at time: Timestamp, in db: Database)
        throws
    {
        try db.execute(
            sql: "UPDATE bookings SET bookingStatus = ?, updatedOn = ? WHERE id = ?",
            arguments: [status.rawValue, time.description, id])
    }
}
