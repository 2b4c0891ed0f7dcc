import Bookings
import GRDB

/// The queries on `bookings`.
enum BookingRow {
    static let columns = "id, userId, apartmentId, startDate, endDate, bookingStatus, createdOn, updatedOn"

    static func booking(_ db: Database, _ id: BookingID) throws -> Booking? {
        try Prepared(db, "SELECT \(columns) FROM bookings WHERE id = ?").first([id.description], booking)
    }

    static func committed(_ db: Database, among ids: [BookingID]) throws -> Set<BookingID> {
        let query = try Prepared(db, "SELECT id FROM bookings WHERE id = ?")
        return Set(try ids.filter { try query.first([$0.description]) { _ in true } ?? false })
    }

    static func pendingID(_ db: Database, user: String, apartment: String) throws -> String? {
        try pending(db).first([user, apartment]) { try $0.text(0) }
    }

    /// The booking that the user has used an idempotency key for.
    static func booking(_ db: Database, user: String, key: String) throws -> Booking? {
        try keyed(db).first([user, key], booking)
    }

    /// PENDING bookings created before a time, oldest first.
    static func pending(_ db: Database, createdBefore time: String, limit: Int) throws -> [Booking] {
        try Prepared(
            db,
            """
            SELECT \(columns) FROM bookings WHERE bookingStatus = 'PENDING' AND createdOn < ?
            ORDER BY createdOn, id LIMIT CAST(? AS INTEGER)
            """
        ).all([time, String(limit)], booking)
    }

    /// An APPROVED booking of the apartment with a night in the half-open range from `start` to `end`.
    static func approved(_ db: Database, apartment: String, start: String, end: String) throws -> Booking? {
        try approved(db).first([apartment, end, start], booking)
    }

    /// The PENDING bookings of the apartment with a night in the half-open range from `start` to `end`, oldest
    /// first.
    static func pending(
        _ db: Database, apartment: String, start: String, end: String
    ) throws -> [Booking] {
        try Prepared(
            db,
            """
            SELECT \(columns) FROM bookings WHERE bookingStatus = 'PENDING' AND apartmentId = ?
            AND startDate < ? AND endDate > ? ORDER BY createdOn, id
            """
        ).all([apartment, end, start], booking)
    }

    static func verdicts(_ db: Database, on requests: [BookingRequest]) throws -> [TableVerdict] {
        // Looked up once for all requests: this stands between a caller and the answer.
        let (keyed, pending, approved) = (try keyed(db), try pending(db), try approved(db))
        return try requests.map { request in
            let (user, apartment) = (request.userID, request.apartmentID)
            if let key = request.idempotencyKey, let first = try keyed.first([user, key], booking) {
                return first.isMade(from: request) ? .repeats(id: first.id) : .keyReused(id: first.id)
            }
            if let id = try pending.first([user, apartment], { try $0.text(0) }) {
                return .pendingExists(id: id)
            }
            let (start, end) = (request.stay.start.description, request.stay.end.description)
            let overlapping = try approved.first([apartment, end, start]) { row -> TableVerdict in
                .notAvailable(id: try row.text(0), startDate: try row.text(3), endDate: try row.text(4))
            }
            return overlapping ?? .free
        }
    }

    private static func keyed(_ db: Database) throws -> Prepared {
        try Prepared(db, "SELECT \(columns) FROM bookings WHERE userId = ? AND idempotencyKey = ?")
    }

    private static func pending(_ db: Database) throws -> Prepared {
        try Prepared(
            db,
            "SELECT id FROM bookings WHERE userId = ? AND apartmentId = ? AND bookingStatus = 'PENDING'")
    }

    private static func approved(_ db: Database) throws -> Prepared {
        try Prepared(
            db,
            """
            SELECT \(columns) FROM bookings
            WHERE bookingStatus = 'APPROVED' AND apartmentId = ? AND startDate < ? AND endDate > ?
            ORDER BY startDate LIMIT 1
            """)
    }

    static func booking(_ row: Columns) throws -> Booking {
        guard let status = BookingStatus(rawValue: try row.text(5)) else { throw row.damaged(5) }
        let (created, updated) = (try row.text(6), try row.text(7))
        guard let createdOn = Timestamp(created) else { throw row.damaged(6) }
        // Reading a time is the dearest part of reading a row, and most bookings were never updated.
        guard let updatedOn = updated == created ? createdOn : Timestamp(updated) else {
            throw row.damaged(7)
        }
        return Booking(
            id: try row.text(0), userId: try row.text(1), apartmentId: try row.text(2),
            startDate: try row.text(3), endDate: try row.text(4), bookingStatus: status,
            createdOn: createdOn, updatedOn: updatedOn)
    }
}
