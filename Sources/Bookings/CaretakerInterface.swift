public import Varlink

/// The typed form of io.acms.Caretaker; `io.acms.Caretaker.varlink` is its source of truth.
public enum CaretakerInterface {
    /// The interface's name.
    public static let name = "io.acms.Caretaker"
    /// The interface file, word for word.
    public static let description = String(
        decoding: PackageResources.io_acms_Caretaker_varlink, as: UTF8.self)

    /// The full name of a method.
    public static func method(_ name: String) -> String { "\(Self.name).\(name)" }

    /// Parameters of ApproveBooking and CancelBooking.
    public typealias ByID = BookingsInterface.ByID

    /// Reply of ApproveBooking.
    public struct Approved: Codable, Sendable {
        /// The booking as it is now.
        public var booking: Booking
        /// The ids of the PENDING bookings that overlapped it, now CANCELLED.
        public var cancelled: [String]
        /// Creates the reply.
        public init(booking: Booking, cancelled: [String]) {
            self.booking = booking
            self.cancelled = cancelled
        }
    }

    /// Reply of CancelBooking.
    public struct Cancelled: Codable, Sendable {
        /// The booking as it is now.
        public var booking: Booking
        /// Creates the reply.
        public init(booking: Booking) { self.booking = booking }
    }

    /// No booking has this id.
    public struct BookingNotFound: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = CaretakerInterface.method("BookingNotFound")
        /// The id asked for.
        public var id: String
        /// Creates the error.
        public init(id: String) { self.id = id }
    }

    /// The booking is accepted and still in the queue.
    public struct NotYetCommitted: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = CaretakerInterface.method("NotYetCommitted")
        /// The id asked for.
        public var id: String
        /// Where it is.
        public var progress: Progress
        /// Creates the error.
        public init(id: String, progress: Progress) {
            self.id = id
            self.progress = progress
        }
    }

    /// The booking's status does not allow this.
    public struct WrongStatus: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = CaretakerInterface.method("WrongStatus")
        /// The booking's status.
        public var bookingStatus: BookingStatus
        /// Creates the error.
        public init(bookingStatus: BookingStatus) { self.bookingStatus = bookingStatus }
    }

    /// The dates overlap an approved booking of the apartment.
    public struct ApartmentNotAvailable: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = CaretakerInterface.method("ApartmentNotAvailable")
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

    /// The table can't be used at present; nothing was changed.
    public struct StorageUnavailable: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = CaretakerInterface.method("StorageUnavailable")
        /// What can't be used, and why.
        public var reason: String
        /// Creates the error.
        public init(reason: String) { self.reason = reason }
    }
}
