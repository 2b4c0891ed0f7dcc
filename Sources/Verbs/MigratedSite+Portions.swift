import BookingTable
import Bookings
import PostgreSQL

extension TransferTable {
    /// Calls `body` with all bookings, in portions.
    func forEachBookings(_ body: ([StoredBooking]) throws -> Void) throws {
        var last: String?
        while case let portion = try bookings(after: last, limit: MigratedSite.bookings), !portion.isEmpty {
            try body(portion)
            last = portion.last?.booking.id
        }
    }
}

extension TransferDatabase {
    /// Calls `body` with all bookings, in portions.
    func forEachBookings(_ body: ([StoredBooking]) throws -> Void) throws {
        var last: String?
        while case let portion = try bookings(after: last, limit: MigratedSite.bookings), !portion.isEmpty {
            try body(portion)
            last = portion.last?.booking.id
        }
    }

    /// Calls `body` with all messages that wait, in portions.
    func forEachMessages(_ body: ([StoredMessage]) throws -> Void) throws {
        var last: BookingID?
        while case let portion = try messages(after: last, limit: MigratedSite.messages), !portion.isEmpty {
            try body(portion)
            last = portion.last?.message.id
        }
    }

    /// Calls `body` with all letters, in portions.
    func forEachLetters(_ body: ([StoredLetter]) throws -> Void) throws {
        var last: BookingID?
        while case let portion = try letters(after: last, limit: MigratedSite.letters), !portion.isEmpty {
            try body(portion)
            last = portion.last?.id
        }
    }
}
