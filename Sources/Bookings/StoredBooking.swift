/// A row of the table with all its columns, as it is moved from one engine to another.
public struct StoredBooking: Hashable, Sendable {
    /// What callers see of it.
    public var booking: Booking
    /// The key that its user has used for it.
    public var idempotencyKey: String?

    /// Creates a row from its columns.
    public init(booking: Booking, idempotencyKey: String?) {
        self.booking = booking
        self.idempotencyKey = idempotencyKey
    }

    /// How a row of the target stands to this one of the source, which has the same id.
    public func match(_ target: StoredBooking) -> TransferMatch {
        if self == target { return .same }
        var other = target
        other.booking.bookingStatus = booking.bookingStatus
        other.booking.updatedOn = booking.updatedOn
        guard self == other else { return .different }
        // The last decision counts.
        if target.booking.updatedOn > booking.updatedOn { return .later }
        return target.booking.updatedOn < booking.updatedOn ? .earlier : .different
    }

    /// Whether it and the target's row are one booking, whatever was decided about it since.
    public func isMade(from request: BookingRequest) -> Bool {
        booking.isMade(from: request)
    }
}

extension StoredBooking: TransferRecord {
    /// Takes in all there is.
    public func mix(into hash: inout RecordHash) {
        hash.add("booking")
        for text in [
            booking.id, booking.userId, booking.apartmentId, booking.startDate, booking.endDate,
            booking.bookingStatus.rawValue,
        ] {
            hash.add(text)
        }
        hash.add(booking.createdOn)
        hash.add(booking.updatedOn)
        hash.add(idempotencyKey)
    }
}
