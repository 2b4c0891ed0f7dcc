import Bookings

/// What stands against a request, in the table or the queue.
struct Objection {
    enum Kind: Int {
        /// The id is there already.
        case id
        /// The user has used its key.
        case key
        /// The user has an undecided booking of the apartment.
        case claim
        /// An APPROVED booking overlaps it.
        case stay

        /// Whether what an earlier message of the same group takes up decides before this.
        func yields(to hold: Hold) -> Bool {
            switch hold {
            case .id: rawValue > Self.id.rawValue
            case .key: rawValue > Self.key.rawValue
            case .claim: rawValue > Self.claim.rawValue
            }
        }
    }

    let kind: Kind
    /// Of the booking or message that stands against it.
    let id: BookingID
    /// Where that is.
    let progress: Progress
    private let user: String?
    private let apartment: String?
    let start: String?
    let end: String?

    private init(_ row: Row) throws(DatabaseTrouble) {
        guard let kind = Kind(rawValue: try row.integer(1) / 2) else { throw Row.damaged(1) }
        self.kind = kind
        id = try row.id(2)
        progress = row.optionalText(3).map(PostgresQueue.progress) ?? .committed
        user = row.optionalText(4)
        apartment = row.optionalText(5)
        start = row.optionalText(6)
        end = row.optionalText(7)
    }

    /// Whether what stands against it was made from the very same request.
    func isMade(from request: BookingRequest) -> Bool {
        func agrees(_ text: String?, _ own: String) -> Bool { text?.utf8.elementsEqual(own.utf8) ?? false }
        return agrees(user, request.userID) && agrees(apartment, request.apartmentID)
            && start == request.stay.start.description && end == request.stay.end.description
    }

    /// What decides on each request, against one state of the table; nil where nothing stands against it.
    ///
    /// A key decides before all else: a repeated call gets its answer whatever has been booked since. The table goes before
    /// the queue, which can hold another with the key only when it was put in by hand.
    static func first(
        against requests: [(id: BookingID?, request: BookingRequest)], withQueue: Bool,
        _ connection: Connection
    ) throws(DatabaseTrouble) -> [Objection?] {
        func column(_ value: (BookingRequest) -> String?) -> Statement.Parameter {
            .array(requests.map { value($0.request) })
        }
        let rows = try connection.run(
            Statement(
                withQueue ? inTableAndQueue : inTable,
                [
                    .array(requests.map { $0.id?.description }), column { $0.userID },
                    column { $0.apartmentID },
                    column { $0.stay.start.description }, column { $0.stay.end.description },
                    column { $0.idempotencyKey },
                ]))
        var found = [Objection?](repeating: nil, count: requests.count)
        for row in rows.all {
            let number = try row.integer(0) - 1
            guard found.indices.contains(number), found[number] == nil else { continue }
            found[number] = try Objection(row)
        }
        return found
    }

    private static let inTable = sql(withQueue: false)
    private static let inTableAndQueue = sql(withQueue: true)

    private static func sql(withQueue: Bool) -> String {
        let booking =
            "b.id, NULL AS place, b.user_id, b.apartment_id, b.start_date, b.end_date FROM bookings b WHERE"
        let message =
            "m.id, m.place, m.user_id, m.apartment_id, m.start_date, m.end_date FROM messages m WHERE"
        let table = [
            "SELECT 0 AS rank, \(booking) b.id = r.id",
            "SELECT 2, \(booking) b.user_id = r.user_id AND b.idempotency_key = r.idempotency_key",
            """
            SELECT 5, \(booking) b.user_id = r.user_id AND b.apartment_id = r.apartment_id
              AND b.booking_status = 'PENDING'
            """,
            """
            SELECT 6, \(booking) b.apartment_id = r.apartment_id AND b.booking_status = 'APPROVED'
              AND daterange(b.start_date, b.end_date) && daterange(r.start_date, r.end_date)
            """,
        ]
        let queue = [
            "SELECT 1, \(message) m.id = r.id",
            "SELECT 3, \(message) m.user_id = r.user_id AND m.idempotency_key = r.idempotency_key AND m.holds",
            "SELECT 4, \(message) m.user_id = r.user_id AND m.apartment_id = r.apartment_id AND m.holds",
        ]
        return """
            SELECT r.number, f.* FROM unnest($1::uuid[], $2::text[], $3::text[], $4::date[], $5::date[], $6::text[])
              WITH ORDINALITY AS r(id, user_id, apartment_id, start_date, end_date, idempotency_key, number)
            CROSS JOIN LATERAL (\((table + (withQueue ? queue : [])).joined(separator: " UNION ALL "))) f
            ORDER BY r.number, f.rank, f.start_date
            """
    }
}
