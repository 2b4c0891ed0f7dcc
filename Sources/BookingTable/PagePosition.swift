import Bookings

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
