public import Varlink

extension BookingsInterface {
    /// A field of the input is not acceptable.
    public struct InvalidInput: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = BookingsInterface.method("InvalidInput")
        /// The field, by its name in CreateBookingInput.
        public var field: String
        /// What is wrong with it.
        public var reason: String
        /// Creates the error.
        public init(field: String, reason: String) {
            self.field = field
            self.reason = reason
        }
    }

    /// The user has a booking of this apartment that is not decided yet.
    public struct PendingBookingExists: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = BookingsInterface.method("PendingBookingExists")
        /// That booking.
        public var bookingId: String
        /// Where it is.
        public var progress: Progress
        /// Creates the error.
        public init(bookingId: String, progress: Progress) {
            self.bookingId = bookingId
            self.progress = progress
        }
    }

    /// The dates overlap an approved booking of the apartment.
    public struct ApartmentNotAvailable: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = BookingsInterface.method("ApartmentNotAvailable")
        /// That booking.
        public var bookingId: String
        /// Its first day.
        public var startDate: String
        /// Its day of departure.
        public var endDate: String
        /// Creates the error.
        public init(bookingId: String, startDate: String, endDate: String) {
            self.bookingId = bookingId
            self.startDate = startDate
            self.endDate = endDate
        }
    }

    /// The user has used this key for a different booking.
    public struct IdempotencyKeyReused: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = BookingsInterface.method("IdempotencyKeyReused")
        /// That booking.
        public var bookingId: String
        /// Creates the error.
        public init(bookingId: String) { self.bookingId = bookingId }
    }

    /// No booking has this id.
    public struct BookingNotFound: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = BookingsInterface.method("BookingNotFound")
        /// The id asked for.
        public var id: String
        /// Creates the error.
        public init(id: String) { self.id = id }
    }

    /// The queue is at its limit; nothing was written.
    public struct QueueFull: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = BookingsInterface.method("QueueFull")
        /// Which limit, and how to mend it.
        public var reason: String
        /// When to try again, in seconds.
        public var retryAfterSeconds: Int
        /// Creates the error.
        public init(reason: String, retryAfterSeconds: Int) {
            self.reason = reason
            self.retryAfterSeconds = retryAfterSeconds
        }
    }

    /// The spool or the table can't be used at present; nothing was written.
    public struct StorageUnavailable: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = BookingsInterface.method("StorageUnavailable")
        /// What can't be used, and why.
        public var reason: String
        /// Creates the error.
        public init(reason: String) { self.reason = reason }
    }
}
