/// What has been decided about a booking.
public enum BookingStatus: String, Codable, Sendable, CaseIterable {
    /// Waits for a caretaker.
    case pending = "PENDING"
    /// A caretaker has given the apartment to the user for these dates.
    case approved = "APPROVED"
    /// Ended without a stay.
    case cancelled = "CANCELLED"
}

/// Where an accepted booking is.
public enum Progress: String, Codable, Sendable, CaseIterable {
    /// Durable in the queue, waiting to be committed.
    case queued = "QUEUED"
    /// A try failed; waiting for another.
    case deferred = "DEFERRED"
    /// In the table.
    case committed = "COMMITTED"
    /// Set aside for the operator.
    case deadLettered = "DEAD_LETTERED"

    /// Whether nothing more happens to the booking by itself.
    public var isSettled: Bool { self == .committed || self == .deadLettered }
}

/// A booking as callers see it (`Booking` of io.acms.Bookings).
public struct Booking: Codable, Hashable, Sendable {
    /// The booking's id.
    public var id: String
    /// Who stays.
    public var userId: String
    /// Where.
    public var apartmentId: String
    /// The first day, `YYYY-MM-DD`.
    public var startDate: String
    /// The day of departure, `YYYY-MM-DD`.
    public var endDate: String
    /// What has been decided.
    public var bookingStatus: BookingStatus
    /// When it was accepted.
    public var createdOn: Timestamp
    /// When its status last changed; `createdOn` until then.
    public var updatedOn: Timestamp

    /// Creates a booking from its fields.
    public init(
        id: String, userId: String, apartmentId: String, startDate: String, endDate: String,
        bookingStatus: BookingStatus, createdOn: Timestamp, updatedOn: Timestamp
    ) {
        self.id = id
        self.userId = userId
        self.apartmentId = apartmentId
        self.startDate = startDate
        self.endDate = endDate
        self.bookingStatus = bookingStatus
        self.createdOn = createdOn
        self.updatedOn = updatedOn
    }

    /// The booking that committing `message` makes.
    public init(_ message: Message) {
        self.init(
            id: message.id.description, userId: message.request.userID,
            apartmentId: message.request.apartmentID, startDate: message.request.stay.start.description,
            endDate: message.request.stay.end.description, bookingStatus: .pending,
            createdOn: message.acceptedOn, updatedOn: message.acceptedOn)
    }
}

extension Booking {
    /// Whether this is what became of `request`, whatever was decided about it since.
    package func isMade(from request: BookingRequest) -> Bool {
        userId.utf8.elementsEqual(request.userID.utf8)
            && apartmentId.utf8.elementsEqual(request.apartmentID.utf8)
            && startDate == request.stay.start.description && endDate == request.stay.end.description
    }
}
