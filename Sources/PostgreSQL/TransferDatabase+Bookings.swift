public import Bookings

extension TransferDatabase {
    private static let columns = "\(BookingColumns.all), idempotency_key"

    private static func bookings(in rows: Rows) throws(DatabaseTrouble) -> [StoredBooking] {
        var found: [StoredBooking] = []
        found.reserveCapacity(rows.count)
        for row in rows.all {
            found.append(
                StoredBooking(
                    booking: try BookingColumns.booking(in: row), idempotencyKey: row.optionalText(8)))
        }
        return found
    }

    /// Up to `limit` bookings in the order of their ids, after `last`.
    public func bookings(after last: String?, limit: Int) throws(TransferTrouble) -> [StoredBooking] {
        if isAbsent { return [] }
        return try using { (connection) throws(DatabaseTrouble) in
            try Self.bookings(
                in: connection.run(
                    Statement(
                        "SELECT \(Self.columns) FROM bookings WHERE id > $1::uuid ORDER BY id LIMIT $2",
                        [.text(last ?? "00000000-0000-0000-0000-000000000000"), .number(limit)])))
        }
    }

    /// Those bookings of these ids that are here.
    public func bookings(withIDs ids: [String]) throws(TransferTrouble) -> [String: StoredBooking] {
        guard !ids.isEmpty, !isAbsent else { return [:] }
        return try using { (connection) throws(DatabaseTrouble) in
            let found = try Self.bookings(
                in: connection.run(
                    Statement(
                        "SELECT \(Self.columns) FROM bookings WHERE id = ANY($1::uuid[])", [.array(ids)])
                ))
            return Dictionary(found.map { ($0.booking.id, $0) }) { first, _ in first }
        }
    }

    /// What stands against bookings that aren't here.
    public func objections(to bookings: [StoredBooking]) throws(TransferTrouble) -> [TransferConflict] {
        if isAbsent || bookings.isEmpty { return [] }
        return try using { (connection) throws(DatabaseTrouble) in
            let rows = try connection.run(Statement(Self.objecting, Self.values(of: bookings)))
            return try Self.conflicts(in: rows)
        }
    }

    /// Rows of id, reason with `%` for the other's id, and that id; the first of each id counts.
    static func conflicts(in rows: Rows) throws(DatabaseTrouble) -> [TransferConflict] {
        var found: [TransferConflict] = []
        for row in rows.all {
            let (id, other) = (try row.text(0), try row.text(2))
            if found.last?.id == id { continue }
            let reason = try row.text(1).replacing("%", with: other)
            found.append(TransferConflict(id: id, reason: reason, otherId: other))
        }
        return found
    }

    private static let objecting = """
        SELECT r.id, f.reason, f.id FROM \(rows) CROSS JOIN LATERAL (
          SELECT 1 AS rank, 'The id belongs to another booking there.' AS reason, b.id FROM bookings b WHERE b.id = r.id
            AND (b.user_id, b.apartment_id, b.start_date, b.end_date, b.created_on)
              <> (r.user_id, r.apartment_id, r.start_date, r.end_date, r.created_on)
          UNION ALL SELECT 2, 'The user has used its idempotencyKey for the booking % there.', b.id FROM bookings b
            WHERE b.user_id = r.user_id AND b.idempotency_key = r.idempotency_key AND b.id <> r.id
          UNION ALL SELECT 3, 'The user has used its idempotencyKey for the booking % in the queue there.', m.id
            FROM messages m WHERE m.user_id = r.user_id AND m.idempotency_key = r.idempotency_key AND m.holds
            AND m.place <> 'DEAD' AND m.id <> r.id
          UNION ALL SELECT 4, 'The user has the PENDING booking % of the apartment there.', b.id FROM bookings b
            WHERE r.booking_status = 'PENDING' AND b.user_id = r.user_id AND b.apartment_id = r.apartment_id
            AND b.booking_status = 'PENDING' AND b.id <> r.id
          UNION ALL SELECT 5, 'The user has the booking % of the apartment in the queue there.', m.id FROM messages m
            WHERE r.booking_status = 'PENDING' AND m.user_id = r.user_id AND m.apartment_id = r.apartment_id AND m.holds
            AND m.place <> 'DEAD' AND m.id <> r.id
          UNION ALL SELECT 6, 'Its dates overlap those of the APPROVED booking % there.', b.id FROM bookings b
            WHERE r.booking_status = 'APPROVED' AND b.apartment_id = r.apartment_id AND b.booking_status = 'APPROVED'
            AND daterange(b.start_date, b.end_date) && daterange(r.start_date, r.end_date) AND b.id <> r.id) f
        WHERE NOT EXISTS (SELECT 1 FROM bookings b WHERE b.id = r.id) OR f.rank = 1
        ORDER BY r.id, f.rank, f.id
        """

    /// Inserts bookings, in one transaction, as far as they aren't here and nothing stands against them. One of them that
    /// is in the queue leaves it: it was committed at its source.
    public func insert(_ bookings: [StoredBooking]) throws(TransferTrouble) {
        try using { (connection) throws(DatabaseTrouble) in
            let values = Self.values(of: bookings)
            try connection.transaction([
                Self.claiming,
                Statement(Self.committing, [.array(bookings.map(\.booking.id))] + Array(values[1...4])),
                Statement(Self.inserting, values),
            ])
        }
    }

    private static let committing = """
        DELETE FROM messages m USING unnest($1::uuid[], $2::text[], $3::text[], $4::date[], $5::date[])
          AS r(id, user_id, apartment_id, start_date, end_date)
        WHERE m.id = r.id AND (m.user_id, m.apartment_id, m.start_date, m.end_date)
          = (r.user_id, r.apartment_id, r.start_date, r.end_date)
        """

    private static let inserting = """
        INSERT INTO bookings (id, user_id, apartment_id, start_date, end_date, booking_status, created_on, updated_on,
          idempotency_key)
        SELECT r.* FROM \(rows) WHERE NOT EXISTS (
          SELECT 1 FROM messages m WHERE r.booking_status = 'PENDING' AND m.user_id = r.user_id
            AND m.apartment_id = r.apartment_id AND m.holds AND m.place <> 'DEAD')
        AND NOT EXISTS (
          SELECT 1 FROM messages m WHERE m.user_id = r.user_id AND m.idempotency_key = r.idempotency_key AND m.holds
            AND m.place <> 'DEAD')
        ON CONFLICT DO NOTHING
        """

    /// Makes a booking's status that of a later decision.
    ///
    /// - Returns: what stands against it; nil when it is done.
    public func decide(_ booking: StoredBooking) throws(TransferTrouble) -> TransferConflict? {
        do throws(DatabaseTrouble) {
            try connection.transaction([
                Statement(
                    """
                    UPDATE bookings SET booking_status = $1, updated_on = $2::timestamptz
                    WHERE id = $3 AND updated_on < $2::timestamptz
                    """,
                    [
                        .text(booking.booking.bookingStatus.rawValue),
                        .text(booking.booking.updatedOn.description),
                        .text(booking.booking.id),
                    ])
            ])
            return nil
        } catch {
            guard error.concernsOneRow else { throw TransferTrouble(error) }
            return TransferConflict(
                id: booking.booking.id,
                reason: "It is \(booking.booking.bookingStatus.rawValue) by now. \(error.reason)")
        }
    }

    private static let rows =
        "unnest($1::uuid[], $2::text[], $3::text[], $4::date[], $5::date[], $6::text[], $7::timestamptz[], "
        + "$8::timestamptz[], $9::text[]) AS r(id, user_id, apartment_id, start_date, end_date, booking_status, "
        + "created_on, updated_on, idempotency_key)"

    private static func values(of bookings: [StoredBooking]) -> [Statement.Parameter] {
        func column(_ value: (Booking) -> String) -> Statement.Parameter {
            .array(bookings.map { value($0.booking) })
        }
        return [
            column(\.id), column(\.userId), column(\.apartmentId), column(\.startDate), column(\.endDate),
            column(\.bookingStatus.rawValue), column(\.createdOn.description),
            column(\.updatedOn.description),
            .array(bookings.map(\.idempotencyKey)),
        ]
    }
}
