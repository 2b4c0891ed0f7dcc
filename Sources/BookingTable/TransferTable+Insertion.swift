public import Bookings
import GRDB

extension TransferTable {
    /// Inserts bookings, in one transaction, as far as they aren't here and nothing stands against them.
    public func insert(_ bookings: [StoredBooking]) throws(TableUnavailable) {
        try use(()) { db in
            try db.inTransaction(.immediate) {
                let there = try Prepared(db, "SELECT 1 FROM bookings WHERE id = ?")
                let insert = try Prepared(
                    db,
                    """
                    INSERT INTO bookings (\(BookingRow.columns), idempotencyKey)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULLIF(?, ''))
                    """)
                for stored in bookings {
                    let booking = stored.booking
                    if try there.first([booking.id], { _ in true }) ?? false { continue }
                    do {
                        try insert.run(
                            booking.id, booking.userId, booking.apartmentId, booking.startDate,
                            booking.endDate, booking.bookingStatus.rawValue, booking.createdOn.description,
                            booking.updatedOn.description, stored.idempotencyKey ?? "")
                    } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                        // What it was is told by `objections`.
                        continue
                    }
                }
                return .commit
            }
        }
    }

    /// What stands against bookings that aren't here.
    public func objections(to bookings: [StoredBooking]) throws(TableUnavailable) -> [TransferConflict] {
        try use([]) { db in
            try bookings.compactMap { stored in
                let booking = stored.booking
                guard let id = BookingID(booking.id), try BookingRow.booking(db, id) == nil else {
                    return nil
                }
                func conflict(_ reason: String, _ other: String) -> TransferConflict {
                    TransferConflict(id: booking.id, reason: reason, otherId: other)
                }
                if let key = stored.idempotencyKey,
                    let other = try BookingRow.booking(db, user: booking.userId, key: key)
                {
                    return conflict(
                        "The user has used its idempotencyKey for the booking \(other.id) there.", other.id)
                }
                switch booking.bookingStatus {
                case .pending:
                    return try BookingRow.pendingID(
                        db, user: booking.userId, apartment: booking.apartmentId
                    ).map {
                        conflict("The user has the PENDING booking \($0) of the apartment there.", $0)
                    }
                case .approved:
                    return try BookingRow.approved(
                        db, apartment: booking.apartmentId, start: booking.startDate, end: booking.endDate
                    ).map {
                        conflict("Its dates overlap those of the APPROVED booking \($0.id) there.", $0.id)
                    }
                case .cancelled: return nil
                }
            }
        }
    }

    /// Makes a booking's status that of a later decision.
    ///
    /// - Returns: what stands against it; nil when it is done.
    public func decide(_ stored: StoredBooking) throws(TableUnavailable) -> TransferConflict? {
        let booking = stored.booking
        return try use(nil) { db in
            do {
                try Prepared(
                    db, "UPDATE bookings SET bookingStatus = ?, updatedOn = ? WHERE id = ? AND updatedOn < ?"
                ).run(
                    booking.bookingStatus.rawValue, booking.updatedOn.description, booking.id,
                    booking.updatedOn.description)
                return nil
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                return TransferConflict(
                    id: booking.id,
                    reason:
                        "It is \(booking.bookingStatus.rawValue) by now, and the table there refuses that: "
                        + "\(error.message ?? "no message").")
            }
        }
    }

    /// Adds what was counted elsewhere, once for each token.
    ///
    /// - Parameter token: stands for where it was counted.
    public func add(
        totals: (committed: Int, deadLettered: Int), token: Int
    ) throws(TableUnavailable) {
        try use(()) { db in
            try db.inTransaction(.immediate) {
                let last = try Prepared(db, "PRAGMA user_version").first([]) { try $0.integer(0) }
                if last == token { return .commit }
                try db.execute(
                    sql: "UPDATE totals SET committed = committed + ?, deadLettered = deadLettered + ?",
                    arguments: [totals.committed, totals.deadLettered])
                // Part of the transaction, as all that is in the file's header.
                try db.execute(sql: "PRAGMA user_version = \(token)")
                return .commit
            }
        }
    }

    /// Counts letters that were made of what lay in the spool.
    public func add(deadLettered count: Int) throws(TableUnavailable) {
        try use(()) { db in
            try db.execute(
                sql: "UPDATE totals SET deadLettered = deadLettered + ?", arguments: [count])
        }
    }
}
