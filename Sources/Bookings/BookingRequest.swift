import Varlink

/// What a caller asks for (`CreateBookingInput`), as it came: well-typed, not yet validated.
public struct CreateBookingInput: Codable, Hashable, Sendable {
    /// Who stays.
    public var userId: String
    /// Where.
    public var apartmentId: String
    /// The first day, `YYYY-MM-DD`.
    public var startDate: String
    /// The day of departure, `YYYY-MM-DD`.
    public var endDate: String
    /// Absent or PENDING; a client can't set anything else.
    public var bookingStatus: BookingStatus?
    /// The same key of the same user gives the same answer and one booking.
    public var idempotencyKey: String?
    /// The caller's place in a distributed trace (``TraceParent``).
    public var traceparent: String?

    /// The fields, all that may be given.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case userId, apartmentId, startDate, endDate, bookingStatus, idempotencyKey, traceparent
    }

    /// Creates an input from its fields.
    public init(
        userId: String, apartmentId: String, startDate: String, endDate: String,
        bookingStatus: BookingStatus? = nil, idempotencyKey: String? = nil, traceparent: String? = nil
    ) {
        self.userId = userId
        self.apartmentId = apartmentId
        self.startDate = startDate
        self.endDate = endDate
        self.bookingStatus = bookingStatus
        self.idempotencyKey = idempotencyKey
        self.traceparent = traceparent
    }

    /// Decodes an input; unknown fields are refused.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
        userId = try fields.decode(String.self, forKey: .userId)
        apartmentId = try fields.decode(String.self, forKey: .apartmentId)
        startDate = try fields.decode(String.self, forKey: .startDate)
        endDate = try fields.decode(String.self, forKey: .endDate)
        bookingStatus = try fields.decodeIfPresent(BookingStatus.self, forKey: .bookingStatus)
        idempotencyKey = try fields.decodeIfPresent(String.self, forKey: .idempotencyKey)
        traceparent = try fields.decodeIfPresent(String.self, forKey: .traceparent)
    }
}

/// A booking request that has passed validation.
public struct BookingRequest: Hashable, Sendable {
    /// 1 to 256 bytes of UTF-8 without control characters.
    public let userID: String
    /// 1 to 256 bytes of UTF-8 without control characters.
    public let apartmentID: String
    /// The nights asked for.
    public let stay: Stay
    /// 1 to 256 bytes of UTF-8 without control characters, when given.
    public let idempotencyKey: String?
    /// What no two undecided bookings may share. Made once, because it is looked up several times.
    public let claim: ClaimKey
    /// What no two bookings may share; nil without an idempotency key.
    public let keyClaim: ClaimKey?

    /// Validates `input`.
    ///
    /// - Throws: the first field that is not acceptable, and why.
    public init(_ input: CreateBookingInput) throws(BookingsInterface.InvalidInput) {
        try Self.checkIdentifier(input.userId, field: "userId")
        try Self.checkIdentifier(input.apartmentId, field: "apartmentId")
        if let key = input.idempotencyKey { try Self.checkIdentifier(key, field: "idempotencyKey") }
        if let status = input.bookingStatus, status != .pending {
            throw .init(
                field: "bookingStatus", reason: "a new booking is PENDING; \(status.rawValue) is refused")
        }
        if let trace = input.traceparent, TraceParent(trace) == nil {
            throw .init(
                field: "traceparent",
                reason: "is not of the form 00-TRACE_ID-PARENT_ID-FLAGS of W3C Trace Context, in lower case")
        }
        let start = try Self.date(input.startDate, field: "startDate")
        let end = try Self.date(input.endDate, field: "endDate")
        guard let stay = Stay(from: start, to: end) else {
            throw .init(field: "endDate", reason: "must be after startDate \(start), and is \(end)")
        }
        self.init(
            checked: input.userId, input.apartmentId, stay: stay, idempotencyKey: input.idempotencyKey)
    }

    /// Validates what was read from a message.
    ///
    /// - Returns: nil when an identifier is not acceptable.
    package init?(userID: String, apartmentID: String, stay: Stay, idempotencyKey: String?) {
        guard Self.isIdentifier(userID), Self.isIdentifier(apartmentID),
            idempotencyKey.map(Self.isIdentifier) ?? true
        else { return nil }
        self.init(checked: userID, apartmentID, stay: stay, idempotencyKey: idempotencyKey)
    }

    private init(checked userID: String, _ apartmentID: String, stay: Stay, idempotencyKey: String?) {
        self.userID = userID
        self.apartmentID = apartmentID
        self.stay = stay
        self.idempotencyKey = idempotencyKey
        claim = ClaimKey(userID: userID, apartmentID: apartmentID)
        keyClaim = idempotencyKey.map { ClaimKey(userID: userID, idempotencyKey: $0) }
    }

    /// The input that validates to this request.
    public var input: CreateBookingInput {
        CreateBookingInput(
            userId: userID, apartmentId: apartmentID, startDate: stay.start.description,
            endDate: stay.end.description, idempotencyKey: idempotencyKey)
    }

    /// Longest identifier, in bytes of UTF-8.
    public static let maximumIdentifierBytes = 256

    /// Whether `text` can be a user, an apartment or a key.
    public static func isIdentifier(_ text: String) -> Bool {
        (try? checkIdentifier(text, field: "")) != nil
    }

    private static func checkIdentifier(_ text: String, field: String) throws(BookingsInterface.InvalidInput)
    {
        let length = text.utf8.count
        guard length >= 1 else { throw .init(field: field, reason: "is empty") }
        guard length <= maximumIdentifierBytes else {
            throw .init(
                field: field, reason: "has \(length) bytes; at most \(maximumIdentifierBytes) are allowed")
        }
        // Mostly all is printable ASCII, and a look at its bytes does.
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return }
        if let scalar = text.unicodeScalars.first(where: { !$0.isSafeInText }) {
            let code = String(scalar.value, radix: 16, uppercase: true)
            throw .init(field: field, reason: "holds U+\(code), a control character or no character at all")
        }
    }

    private static func date(
        _ text: String, field: String
    ) throws(BookingsInterface.InvalidInput) -> CalendarDate {
        guard let date = CalendarDate(text) else {
            throw .init(field: field, reason: "is not a calendar date YYYY-MM-DD")
        }
        return date
    }
}

extension Unicode.Scalar {
    /// Whether the scalar may stand in an identifier: no control character (general category Cc), and no
    /// noncharacter, which other programs' JSON parsers refuse together with all that stands around it.
    public var isSafeInText: Bool {
        !(value < 0x20 || (0x7f...0x9f).contains(value) || properties.isNoncharacterCodePoint)
    }
}
