public import Varlink

/// The typed form of io.acms.Bookings; `io.acms.Bookings.varlink` is its source of truth.
public enum BookingsInterface {
    /// The interface's name.
    public static let name = "io.acms.Bookings"
    /// The interface file, word for word.
    public static let description = String(decoding: PackageResources.io_acms_Bookings_varlink, as: UTF8.self)

    /// The full name of a method.
    public static func method(_ name: String) -> String { "\(Self.name).\(name)" }

    /// Parameters of CreateApartmentBooking.
    public struct Create: Codable, Sendable {
        /// The booking asked for.
        public var input: CreateBookingInput
        /// The caller's place in a distributed trace, if the input has none.
        public var traceparent: String?
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable { case input, traceparent }
        /// Creates the parameters.
        public init(input: CreateBookingInput, traceparent: String? = nil) {
            self.input = input
            self.traceparent = traceparent
        }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            input = try fields.decode(CreateBookingInput.self, forKey: .input)
            traceparent = try fields.decodeIfPresent(String.self, forKey: .traceparent)
        }
    }

    /// Reply of CreateApartmentBooking.
    public struct Created: Codable, Sendable {
        /// The booking's id.
        public var id: String
        /// Creates the reply.
        public init(id: String) { self.id = id }
    }

    /// Parameters of CreateApartmentBookings.
    public struct CreateMany: Codable, Sendable {
        /// The bookings asked for.
        public var inputs: [CreateBookingInput]
        /// The caller's place in a distributed trace, for the inputs that have none.
        public var traceparent: String?
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable { case inputs, traceparent }
        /// Creates the parameters.
        public init(inputs: [CreateBookingInput], traceparent: String? = nil) {
            self.inputs = inputs
            self.traceparent = traceparent
        }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            inputs = try fields.decode([CreateBookingInput].self, forKey: .inputs)
            traceparent = try fields.decodeIfPresent(String.self, forKey: .traceparent)
        }
    }

    /// Most inputs of one call of CreateApartmentBookings.
    public static let maximumInputs = 10_000

    /// What became of one input of CreateApartmentBookings: an id, or an error and its parameters.
    public struct CreateResult: Codable, Sendable {
        /// The booking's id, when it was accepted.
        public var id: String?
        /// The full name of the error, when it was refused.
        public var error: String?
        /// The error's parameters.
        public var parameters: JSONValue?
        /// Creates the result.
        public init(id: String? = nil, error: String? = nil, parameters: JSONValue? = nil) {
            self.id = id
            self.error = error
            self.parameters = parameters
        }
    }

    /// Reply of CreateApartmentBookings.
    public struct CreatedMany: Codable, Sendable {
        /// One result an input, in their order.
        public var results: [CreateResult]
        /// Creates the reply.
        public init(results: [CreateResult]) { self.results = results }
    }

    /// Parameters of GetBooking and AwaitBooking.
    public struct ByID: Codable, Sendable {
        /// The booking's id.
        public var id: String
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable { case id }
        /// Creates the parameters.
        public init(id: String) { self.id = id }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            id = try decoder.strictContainer(keyedBy: CodingKeys.self).decode(String.self, forKey: .id)
        }
    }

    /// Reply of GetBooking and AwaitBooking.
    public struct BookingState: Codable, Hashable, Sendable {
        /// Where the booking is.
        public var progress: Progress
        /// The booking.
        public var booking: Booking
        /// Creates the reply.
        public init(progress: Progress, booking: Booking) {
            self.progress = progress
            self.booking = booking
        }
    }

    /// Parameters of GetAllBookingsPerApartment.
    public struct ListPerApartment: Codable, Sendable {
        /// The apartment.
        public var apartmentId: String
        /// Only bookings of this status.
        public var bookingStatus: BookingStatus?
        /// Bookings a page.
        public var limit: Int?
        /// Where to go on.
        public var nextToken: String?
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable {
            case apartmentId, bookingStatus, limit, nextToken
        }
        /// Creates the parameters.
        public init(
            apartmentId: String, bookingStatus: BookingStatus? = nil, limit: Int? = nil,
            nextToken: String? = nil
        ) {
            self.apartmentId = apartmentId
            self.bookingStatus = bookingStatus
            self.limit = limit
            self.nextToken = nextToken
        }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            apartmentId = try fields.decode(String.self, forKey: .apartmentId)
            bookingStatus = try fields.decodeIfPresent(BookingStatus.self, forKey: .bookingStatus)
            limit = try fields.integerIfPresent(forKey: .limit)
            nextToken = try fields.decodeIfPresent(String.self, forKey: .nextToken)
        }
    }

    /// Parameters of GetAllBookingsPerUser.
    public struct ListPerUser: Codable, Sendable {
        /// The user.
        public var userId: String
        /// Only bookings of this status.
        public var bookingStatus: BookingStatus?
        /// Bookings a page.
        public var limit: Int?
        /// Where to go on.
        public var nextToken: String?
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable {
            case userId, bookingStatus, limit, nextToken
        }
        /// Creates the parameters.
        public init(
            userId: String, bookingStatus: BookingStatus? = nil, limit: Int? = nil, nextToken: String? = nil
        ) {
            self.userId = userId
            self.bookingStatus = bookingStatus
            self.limit = limit
            self.nextToken = nextToken
        }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            userId = try fields.decode(String.self, forKey: .userId)
            bookingStatus = try fields.decodeIfPresent(BookingStatus.self, forKey: .bookingStatus)
            limit = try fields.integerIfPresent(forKey: .limit)
            nextToken = try fields.decodeIfPresent(String.self, forKey: .nextToken)
        }
    }

    /// Parameters of GetAllBookings.
    public struct ListAll: Codable, Sendable {
        /// Only bookings of this status.
        public var bookingStatus: BookingStatus?
        /// Bookings a page.
        public var limit: Int?
        /// Where to go on.
        public var nextToken: String?
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable { case bookingStatus, limit, nextToken }
        /// Creates the parameters.
        public init(bookingStatus: BookingStatus? = nil, limit: Int? = nil, nextToken: String? = nil) {
            self.bookingStatus = bookingStatus
            self.limit = limit
            self.nextToken = nextToken
        }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            bookingStatus = try fields.decodeIfPresent(BookingStatus.self, forKey: .bookingStatus)
            limit = try fields.integerIfPresent(forKey: .limit)
            nextToken = try fields.decodeIfPresent(String.self, forKey: .nextToken)
        }
    }

    /// Reply of the methods that list bookings.
    public struct BookingList: Codable, Sendable {
        /// The bookings, newest first; of everybody by their ids.
        public var items: [Booking]
        /// Where the next page begins; nil after the last.
        public var nextToken: String?
        /// Creates the reply.
        public init(items: [Booking], nextToken: String?) {
            self.items = items
            self.nextToken = nextToken
        }
    }
}

extension KeyedDecodingContainer {
    /// An integer. The decoder's own error for a number that is none, or too large, does not name the key.
    func integerIfPresent(forKey key: Key) throws -> Int? {
        do {
            return try decodeIfPresent(Int.self, forKey: key)
        } catch {
            throw DecodingError.typeMismatch(
                Int.self, .init(codingPath: codingPath + [key], debugDescription: "not an integer"))
        }
    }
}
