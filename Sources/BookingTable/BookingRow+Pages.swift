import Bookings
import GRDB

extension BookingRow {
    /// A page of somebody's bookings. There are two queries for a user, so it needs a snapshot.
    static func page(
        _ db: Database, _ owner: BookingOwner, _ status: BookingStatus?, _ limit: Int,
        _ position: PagePosition?
    ) throws -> BookingPage {
        // Within what a page may hold, so that no caller's number overflows.
        let limit = min(max(limit, 1), 10_000)
        // One more tells whether there is another page.
        let found = try ListQuery.all(for: owner, status).map { query in
            try query.newest(db, limit + 1, after: position)
        }
        let items = Array(merged(found).prefix(limit))
        let hasMore = found.reduce(0) { $0 + $1.count } > limit
        return BookingPage(items: items, nextToken: hasMore ? items.last.map { PagePosition($0).token } : nil)
    }

    private static var scannedBookings: Int { 10_000 }

    /// A page of all bookings, in the order of their ids.
    static func page(
        _ db: Database, _ status: BookingStatus?, _ limit: Int, after last: BookingID?
    ) throws -> BookingPage {
        let limit = min(max(limit, 1), 10_000)
        let start = last?.description ?? ""
        // No index has the ids of one status, so a page looks at so many bookings and no more, and may be empty.
        let end =
            status == nil
            ? nil
            : try Prepared(
                db, "SELECT id FROM bookings WHERE id > ? ORDER BY id LIMIT 1 OFFSET \(scannedBookings)"
            ).first([start]) { try $0.text(0) }
        let conditions =
            ["id > ?"] + (status.map { ["bookingStatus = '\($0.rawValue)'"] } ?? [])
            + (end == nil ? [] : ["id <= ?"])
        let found = try Prepared(
            db,
            """
            SELECT \(columns) FROM bookings WHERE \(conditions.joined(separator: " AND "))
            ORDER BY id LIMIT CAST(? AS INTEGER)
            """
        ).all([start] + (end.map { [$0] } ?? []) + [String(limit + 1)], booking)
        let items = Array(found.prefix(limit))
        return BookingPage(items: items, nextToken: found.count > limit ? items.last?.id : end)
    }

    /// Lists that are in order, as one.
    private static func merged(_ lists: [[Booking]]) -> [Booking] {
        guard lists.count > 1 else { return lists.first ?? [] }
        return lists.joined().sorted { ($0.createdOn, $0.id) > ($1.createdOn, $1.id) }
    }
}

/// The newest of some bookings, found by one index.
private struct ListQuery {
    let conditions: [String]
    let owner: String

    /// The queries that together find the bookings of `owner`. An index that holds only some of them is used only
    /// where the condition says so in these very words.
    static func all(for owner: BookingOwner, _ status: BookingStatus?) -> [ListQuery] {
        let asked = status.map { ["bookingStatus = '\($0.rawValue)'"] } ?? []
        switch owner {
        case .apartment(let id):
            return [ListQuery(conditions: ["apartmentId = ?"] + asked, owner: id)]
        case .user(let id):
            let pending = ListQuery(conditions: ["userId = ?", "bookingStatus = 'PENDING'"], owner: id)
            let decided = ListQuery(
                conditions: ["userId = ?", "bookingStatus <> 'PENDING'"] + asked, owner: id)
            switch status {
            case .pending: return [pending]
            case .approved, .cancelled: return [decided]
            case nil: return [pending, decided]
            }
        case .everybody:
            return []
        }
    }

    func newest(_ db: Database, _ limit: Int, after position: PagePosition?) throws -> [Booking] {
        let rest = position == nil ? [] : ["(createdOn, id) < (?, ?)"]
        let arguments = [owner] + (position.map { [$0.createdOn, $0.id] } ?? []) + [String(limit)]
        return try Prepared(
            db,
            """
            SELECT \(BookingRow.columns) FROM bookings WHERE \((conditions + rest).joined(separator: " AND "))
            ORDER BY createdOn DESC, id DESC LIMIT CAST(? AS INTEGER)
            """
        ).all(arguments, BookingRow.booking)
    }
}
