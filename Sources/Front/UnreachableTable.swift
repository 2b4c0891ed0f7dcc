import Bookings

/// Stands for a table that nothing is known of, where the spool takes bookings while it can't be reached.
struct UnreachableTable: BookingQueries {
    func booking(_ id: BookingID) -> Booking? { nil }

    func committed(among ids: [BookingID]) -> Set<BookingID> { [] }

    func verdicts(on requests: [BookingRequest]) -> [TableVerdict] { requests.map { _ in .free } }

    func totals() -> (committed: Int, deadLettered: Int) { (0, 0) }

    func bookings(of owner: BookingOwner, status: BookingStatus?, limit: Int, after token: String?)
        -> BookingPage
    {
        BookingPage(items: [], nextToken: nil)
    }
}
