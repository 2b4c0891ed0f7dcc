public import Bookings
import GRDB

/// The table for the one process that writes it: SQLite in WAL mode, synced at every commit.
///
/// The file is created when it has never been there. One that was there and is gone is not begun anew while this
/// process lives: an empty table in its place would let everything be booked twice.
public final class SQLiteTable: BookingTable, SQLiteQueries {
    let connections: TableConnections
    private let migration = MigrationState()

    /// Whether the file is being brought up to date, which may take long and can't be hurried.
    public var isBeingMigrated: Bool { migration.isRunning }

    /// Writes the table at `path`; it is opened at the first use.
    public init(path: String) {
        let diagnosis = TableDiagnosis(path: path, role: .writer)
        let opening = TableOpening(diagnosis: diagnosis)
        let verify: @Sendable () throws -> Void = { [migration] in
            // It takes as long as a migration.
            migration.began()
            defer { migration.ended() }
            try opening.verify()
        }
        connections = TableConnections(diagnosis, verify: verify) { [migration] wasOpen in
            try opening.forWriting(wasOpen: wasOpen, migration)
        }
    }

    /// Applies a batch in one transaction.
    public func apply(_ batch: [Message], deadLettered: Int) throws(TableUnavailable) -> [ApplyOutcome] {
        try connections.use { try BatchApplication(batch, deadLettered).run($0) }
    }

    /// Approves a PENDING booking.
    public func approve(_ id: BookingID, at time: Timestamp) throws(TableUnavailable) -> Decision {
        try decide { db in
            guard let booking = try BookingRow.booking(db, id) else { return .notFound }
            guard booking.bookingStatus == .pending else { return .wrongStatus(booking.bookingStatus) }
            let overlapping = try BookingRow.approved(
                db, apartment: booking.apartmentId, start: booking.startDate, end: booking.endDate)
            if let overlapping { return .notAvailable(overlapping) }
            let approved = try Self.set(.approved, of: booking, at: time, in: db)
            let cancelled = try BookingRow.pending(
                db, apartment: booking.apartmentId, start: booking.startDate, end: booking.endDate)
            for other in cancelled { try Self.set(.cancelled, ofID: other.id, at: time, in: db) }
            return .decided(approved, cancelled: cancelled)
        }
    }

    /// Cancels a PENDING or APPROVED booking.
    public func cancel(_ id: BookingID, at time: Timestamp) throws(TableUnavailable) -> Decision {
        try decide { db in
            guard let booking = try BookingRow.booking(db, id) else { return .notFound }
            guard booking.bookingStatus != .cancelled else { return .wrongStatus(.cancelled) }
            return .decided(try Self.set(.cancelled, of: booking, at: time, in: db), cancelled: [])
        }
    }

    /// Cancels bookings that are PENDING for too long.
    public func expirePending(
        createdBefore time: Timestamp, limit: Int, at now: Timestamp
    ) throws(TableUnavailable) -> [Booking] {
        try connections.use { db in
            var expired: [Booking] = []
            try db.inTransaction(.immediate) {
                let old = try BookingRow.pending(db, createdBefore: time.description, limit: limit)
                expired = try old.map { try Self.set(.cancelled, of: $0, at: now, in: db) }
                return .commit
            }
            return expired
        }
    }

    private func decide(_ body: (Database) throws -> Decision) throws(TableUnavailable) -> Decision {
        try connections.use { db in
            var decision = Decision.notFound
            try db.inTransaction(.immediate) {
                decision = try body(db)
                return .commit
            }
            return decision
        }
    }

    private static func set(
        _ status: BookingStatus, of booking: Booking, at time: Timestamp, in db: Database
    ) throws -> Booking {
        try set(status, ofID: booking.id, at: time, in: db)
        var booking = booking
        booking.bookingStatus = status
        booking.updatedOn = time
        return booking
    }

    private static func set(
        _ status: BookingStatus, ofID id: String, at time: Timestamp, in db: Database
    ) throws {
        try Prepared(db, "UPDATE bookings SET bookingStatus = ?, updatedOn = ? WHERE id = ?")
            .run(status.rawValue, time.description, id)
    }
}
