import Bookings
import GRDB

/// The reading half of the table, the same for who may write it and who may not.
protocol SQLiteQueries: BookingQueries {
    var connections: TableConnections { get }
}

// A single statement sees one state of the table by itself; where there are several, a snapshot makes it so.
extension SQLiteQueries {
    /// The booking with this id, or nil.
    public func booking(_ id: BookingID) throws(TableUnavailable) -> Booking? {
        try connections.use { try BookingRow.booking($0, id) }
    }

    /// Which of these ids are in the table.
    public func committed(among ids: [BookingID]) throws(TableUnavailable) -> Set<BookingID> {
        try connections.use { try $0.snapshot { try BookingRow.committed($0, among: ids) } }
    }

    /// Judges each request, in order, against one state of the table.
    public func verdicts(on requests: [BookingRequest]) throws(TableUnavailable) -> [TableVerdict] {
        try connections.use { try $0.snapshot { try BookingRow.verdicts($0, on: requests) } }
    }

    /// Messages committed and dead-lettered since the table was created.
    public func totals() throws(TableUnavailable) -> (committed: Int, deadLettered: Int) {
        try connections.use { db in
            try Prepared(db, "SELECT committed, deadLettered FROM totals").first([]) {
                (try $0.integer(0), try $0.integer(1))
            } ?? (0, 0)
        }
    }

    /// A page of bookings, newest first.
    public func bookings(
        of owner: BookingOwner, status: BookingStatus?, limit: Int, after token: String?
    ) throws -> BookingPage {
        if case .everybody = owner {
            let last = try token.map { token throws(InvalidPageToken) in
                guard let id = BookingID(token) else { throw InvalidPageToken() }
                return id
            }
            return try connections.use { try BookingRow.page($0, status, limit, after: last) }
        }
        let position = try token.map(PagePosition.init(token:))
        return try connections.use { db in
            try db.snapshot { try BookingRow.page($0, owner, status, limit, position) }
        }
    }
}
