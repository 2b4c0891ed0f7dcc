import Bookings
import GRDB

/// The queries on `bookings`.
enum BookingRow {
    static let columns = "id, userId, apartmentId, startDate, endDate, bookingStatus, createdOn, updatedOn"

    static func booking(_ db: Database, _ id: BookingID) throws -> Booking? {
        let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM bookings WHERE id = ?")
        return try Row.fetchOne(statement, arguments: [id.description]).map(booking)
    }

    static func committed(_ db: Database, among ids: [BookingID]) throws -> Set<BookingID> {
        let statement = try db.cachedStatement(sql: "SELECT 1 FROM bookings WHERE id = ?")
        return Set(try ids.filter { try Int.fetchOne(statement, arguments: [$0.description]) != nil })
    }

    static func pendingID(_ db: Database, user: String, apartment: String) throws -> String? {
        let statement = try db.cachedStatement(
            sql: "SELECT id FROM bookings WHERE userId = ? AND apartmentId = ? AND bookingStatus = 'PENDING'")
        return try String.fetchOne(statement, arguments: [user, apartment])
    }

    /// An APPROVED booking of the apartment with a night in the half-open range from `start` to `end`.
    static func approved(_ db: Database, apartment: String, start: String, end: String) throws -> Booking? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT \(columns) FROM bookings
                WHERE bookingStatus = 'APPROVED' AND apartmentId = ? AND startDate < ? AND endDate > ?
                ORDER BY startDate LIMIT 1
                """)
        return try Row.fetchOne(statement, arguments: [apartment, end, start]).map(booking)
    }

    static func verdict(_ db: Database, on request: BookingRequest) throws -> TableVerdict {
        if let id = try pendingID(db, user: request.userID, apartment: request.apartmentID) {
            return .pendingExists(id: id)
        }
        let overlapping = try approved(
            db, apartment: request.apartmentID, start: request.stay.start.description,
            end: request.stay.end.description)
        guard let overlapping else { return .free }
        return .notAvailable(
            id: overlapping.id, startDate: overlapping.startDate, endDate: overlapping.endDate)
    }

    static func page(
        _ db: Database, _ owner: BookingOwner, _ status: BookingStatus?, _ limit: Int,
        _ position: PagePosition?
    ) throws -> BookingPage {
        let (column, value) =
            switch owner {
            case .apartment(let id): ("apartmentId", id)
            case .user(let id): ("userId", id)
            }
        var conditions = ["\(column) = ?"]
        var arguments: [any DatabaseValueConvertible] = [value]
        if let position {
            conditions.append("(createdOn, id) < (?, ?)")
            arguments += [position.createdOn, position.id]
        }
        if let status {
            conditions.append("bookingStatus = ?")
            arguments.append(status.rawValue)
        }
        arguments.append(limit + 1)
        let statement = try db.cachedStatement(
            sql: """
                SELECT \(columns) FROM bookings WHERE \(conditions.joined(separator: " AND "))
                ORDER BY createdOn DESC, id DESC LIMIT ?
                """)
        let found = try Row.fetchAll(statement, arguments: StatementArguments(arguments)).map(booking)
        let items = Array(found.prefix(limit))
        return BookingPage(
            items: items, nextToken: found.count > limit ? items.last.map { PagePosition($0).token } : nil)
    }

    private static func booking(_ row: Row) -> Booking {
        // The columns' types and values are held by the schema; a damaged row shows as what it is.
        Booking(
            id: row[0], userId: row[1], apartmentId: row[2], startDate: row[3], endDate: row[4],
            bookingStatus: BookingStatus(rawValue: row[5]) ?? .cancelled,
            createdOn: Timestamp(row[6] as String) ?? Timestamp(milliseconds: 0),
            updatedOn: Timestamp(row[7] as String) ?? Timestamp(milliseconds: 0))
    }
}

/// Where a page ended.
struct PagePosition {
    let createdOn: String
    let id: String

    init(_ last: Booking) {
        createdOn = last.createdOn.description
        id = last.id
    }

    init(token: String) throws(InvalidPageToken) {
        let parts = token.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let time = Timestamp(parts[0]), time.description == parts[0],
            let booking = BookingID(parts[1])
        else { throw InvalidPageToken() }
        createdOn = parts[0]
        id = booking.description
    }

    var token: String { "\(createdOn)/\(id)" }
}
