public import Bookings

extension BookingEvent {
    /// What happened to a message.
    public init(_ message: Message, _ kind: Kind, on time: Timestamp, reason: String? = nil) {
        self.init(
            on: time, kind, id: message.id.description, userId: message.request.userID,
            apartmentId: message.request.apartmentID, reason: reason, traceId: message.traceParent?.traceID)
    }

    /// What became of a booking of the table.
    public init(_ booking: Booking, on time: Timestamp) {
        let kind: Kind = booking.bookingStatus == .approved ? .approved : .cancelled
        self.init(on: time, kind, id: booking.id, userId: booking.userId, apartmentId: booking.apartmentId)
    }
}
