public import Bookings

/// The reading half of the table in the database.
public protocol PostgresQueries: BookingQueries {
    /// Reaches the database.
    var link: DatabaseLink { get }
}

/// The table for those who only read it.
public struct PostgresTableReader: PostgresQueries {
    /// Reaches the database.
    public let link: DatabaseLink

    /// Reads through `link`.
    public init(_ link: DatabaseLink) {
        self.link = link
    }
}

// A single statement sees one state of the table by itself.
extension PostgresQueries {
    /// The booking with this id, or nil.
    public func booking(_ id: BookingID) throws(TableUnavailable) -> Booking? {
        try use { (connection) throws(DatabaseTrouble) in
            let row = try connection.run(
                Statement("SELECT \(BookingColumns.all) FROM bookings WHERE id = $1", [.text(id.description)])
            ).first
            guard let row else { return nil }
            return try BookingColumns.booking(in: row)
        }
    }

    /// Which of these ids are in the table.
    public func committed(among ids: [BookingID]) throws(TableUnavailable) -> Set<BookingID> {
        guard !ids.isEmpty else { return [] }
        return try use { (connection) throws(DatabaseTrouble) in
            let rows = try connection.run(
                Statement(
                    "SELECT id FROM bookings WHERE id = ANY($1::uuid[])", [.array(ids.map(\.description))]))
            return try rows.ids()
        }
    }

    /// Judges each request, in order, against one state of the table.
    public func verdicts(on requests: [BookingRequest]) throws(TableUnavailable) -> [TableVerdict] {
        guard !requests.isEmpty else { return [] }
        return try use { (connection) throws(DatabaseTrouble) in
            let found = try Objection.first(against: requests.map { (nil, $0) }, withQueue: false, connection)
            return zip(requests, found).map { request, objection in
                objection.map { TableVerdict($0, on: request) } ?? .free
            }
        }
    }

    /// Messages committed and dead-lettered since the tables were made.
    public func totals() throws(TableUnavailable) -> (committed: Int, deadLettered: Int) {
        try use { (connection) throws(DatabaseTrouble) in
            let row = try connection.run(Statement("SELECT sum(committed), sum(dead_lettered) FROM totals"))
                .first
            guard let row else { return (0, 0) }
            return (try row.integer(0), try row.integer(1))
        }
    }

    /// A page of bookings, newest first; those of everybody in the order of their ids.
    public func bookings(
        of owner: BookingOwner, status: BookingStatus?, limit: Int, after token: String?
    ) throws -> BookingPage {
        let limit = min(max(limit, 1), 10_000)
        let query = try PageQuery(owner, status, limit, token)
        let found = try use { (connection) throws(DatabaseTrouble) in
            try BookingColumns.bookings(in: try connection.run(query.statement))
        }
        let items = Array(found.prefix(limit))
        let next = found.count > limit ? items.last.map(query.token) : nil
        return BookingPage(items: items, nextToken: next)
    }

    func use<R>(_ body: (Connection) throws(DatabaseTrouble) -> R) throws(TableUnavailable) -> R {
        do {
            return try link.reading(body)
        } catch {
            throw error.ofTable
        }
    }
}

extension TableVerdict {
    fileprivate init(_ objection: Objection, on request: BookingRequest) {
        let id = objection.id.description
        switch objection.kind {
        case .id, .key: self = objection.isMade(from: request) ? .repeats(id: id) : .keyReused(id: id)
        case .claim: self = .pendingExists(id: id)
        case .stay:
            self = .notAvailable(id: id, startDate: objection.start ?? "", endDate: objection.end ?? "")
        }
    }
}

/// A page of bookings, and one more, which tells whether there is another page.
private struct PageQuery {
    let statement: Statement
    private let isById: Bool

    init(
        _ owner: BookingOwner, _ status: BookingStatus?, _ limit: Int, _ token: String?
    ) throws(InvalidPageToken) {
        let columns =
            "id, user_id, apartment_id, start_date, end_date, booking_status, created_on, updated_on"
        let asked = status.map { " AND booking_status = '\($0.rawValue)'" } ?? ""
        let (time, id) = try Self.position(token, of: owner)
        if case .everybody = owner {
            isById = true
            statement = Statement(
                """
                SELECT \(BookingColumns.all) FROM bookings WHERE id > $1\(asked) ORDER BY id LIMIT $2
                """, [.text(id ?? "00000000-0000-0000-0000-000000000000"), .number(limit + 1)])
            return
        }
        isById = false
        let order = "ORDER BY created_on DESC, id DESC LIMIT $4"
        let after = "AND ($2::timestamptz IS NULL OR (created_on, id) < ($2::timestamptz, $3::uuid))"
        func part(_ condition: String) -> String {
            "(SELECT \(columns) FROM bookings WHERE \(condition) = $1 \(after)\(asked) \(order))"
        }
        let source: String
        let name: String
        switch owner {
        case .apartment(let apartment):
            name = apartment
            source = part("apartment_id")
        case .user(let user):
            name = user
            // Two indexes together have a user's bookings.
            source =
                part("booking_status = 'PENDING' AND user_id") + " UNION ALL "
                + part("(booking_status <> 'PENDING') IS TRUE AND user_id")
        case .everybody:
            (name, source) = ("", "")
        }
        statement = Statement(
            "SELECT \(BookingColumns.all) FROM (\(source)) b \(order)",
            [.text(name), .optional(time), .optional(id), .number(limit + 1)])
    }

    func token(_ last: Booking) -> String { isById ? last.id : "\(last.createdOn)/\(last.id)" }

    private static func position(
        _ token: String?, of owner: BookingOwner
    ) throws(InvalidPageToken) -> (time: String?, id: String?) {
        guard let token else { return (nil, nil) }
        if case .everybody = owner {
            guard let id = BookingID(token) else { throw InvalidPageToken() }
            return (nil, id.description)
        }
        let parts = token.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let time = Timestamp(parts[0]), let id = BookingID(parts[1]) else {
            throw InvalidPageToken()
        }
        return (time.description, id.description)
    }
}
