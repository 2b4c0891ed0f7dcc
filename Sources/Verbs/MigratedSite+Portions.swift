import BookingTable
import Bookings
import PostgreSQL

/// Calls `body` with all records, in portions.
///
/// - Parameters:
///   - next: the portion after the record with a key; nil for the first.
///   - key: what `next` goes on from.
private func forEachPortion<Record, Key>(
    _ next: (Key?) throws -> [Record], _ key: (Record) -> Key, _ body: ([Record]) throws -> Void
) throws {
    var last: Key?
    while case let portion = try next(last), !portion.isEmpty {
        try body(portion)
        last = portion.last.map(key)
    }
}

extension TransferTable {
    /// Calls `body` with all bookings, in portions.
    func forEachBookings(_ body: ([StoredBooking]) throws -> Void) throws {
        try forEachPortion({ try bookings(after: $0, limit: MigratedSite.bookings) }, \.booking.id, body)
    }
}

extension TransferDatabase {
    /// Calls `body` with all bookings, in portions.
    func forEachBookings(_ body: ([StoredBooking]) throws -> Void) throws {
        try forEachPortion({ try bookings(after: $0, limit: MigratedSite.bookings) }, \.booking.id, body)
    }

    /// Calls `body` with all messages that wait, in portions.
    func forEachMessages(_ body: ([StoredMessage]) throws -> Void) throws {
        try forEachPortion({ try messages(after: $0, limit: MigratedSite.messages) }, \.message.id, body)
    }

    /// Calls `body` with all letters, in portions.
    func forEachLetters(_ body: ([StoredLetter]) throws -> Void) throws {
        try forEachPortion({ try letters(after: $0, limit: MigratedSite.letters) }, \.id, body)
    }
}
