/// What a column of a file of bookings can be about: a field of CreateBookingInput, or one that only a booking has which
/// is there already.
enum BookingColumn: String, CaseIterable {
    case userId, apartmentId, startDate, endDate, idempotencyKey, bookingStatus, traceparent
    case id, createdOn, updatedOn

    /// The column of a name, in the words of the interfaces or in those of the command line.
    init?(name: String) {
        switch name {
        case "user": self = .userId
        case "apartment": self = .apartmentId
        case "from": self = .startDate
        case "to": self = .endDate
        case "key": self = .idempotencyKey
        default: self.init(rawValue: name)
        }
    }

    /// Whether it has no meaning for a booking that is yet to be made.
    var isPassedOver: Bool {
        switch self {
        case .id, .createdOn, .updatedOn: true
        default: false
        }
    }

    var isRequired: Bool {
        switch self {
        case .userId, .apartmentId, .startDate, .endDate: true
        default: false
        }
    }

    /// All that may be in a header.
    static let knownNames = """
        userId (or user), apartmentId (or apartment), startDate (or from), endDate (or to), idempotencyKey (or key), \
        bookingStatus and traceparent
        """
}
