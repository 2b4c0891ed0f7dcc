import Bookings

/// The rows of `bookings`.
enum BookingColumns {
    /// What ``booking(in:)`` reads, in its order.
    static let all = """
        id, user_id, apartment_id, start_date, end_date, booking_status, \(MessageRow.time("created_on")),
        \(MessageRow.time("updated_on"))
        """

    static func booking(in row: Row) throws(DatabaseTrouble) -> Booking {
        guard let status = BookingStatus(rawValue: try row.text(5)) else { throw Row.damaged(5) }
        return Booking(
            id: try row.text(0), userId: try row.text(1), apartmentId: try row.text(2),
            startDate: try row.text(3),
            endDate: try row.text(4), bookingStatus: status, createdOn: try row.time(6),
            updatedOn: try row.time(7))
    }

    static func bookings(in rows: Rows) throws(DatabaseTrouble) -> [Booking] {
        var found: [Booking] = []
        found.reserveCapacity(rows.count)
        for row in rows.all { found.append(try booking(in: row)) }
        return found
    }
}
