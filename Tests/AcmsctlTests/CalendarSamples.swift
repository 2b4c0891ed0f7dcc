import Bookings

@testable import Verbs

extension Booking {
    /// A booking of A-17 from a day to a day of departure.
    static func stay(
        _ number: Int, _ user: String, _ start: String, _ end: String, _ status: BookingStatus = .approved
    ) -> Booking {
        var booking = Booking.sample(number, user: user, status: status)
        booking.startDate = start
        booking.endDate = end
        return booking
    }
}

extension CalendarRange {
    /// From a day or a month on.
    static func from(_ text: String, months: Int = 1) -> CalendarRange? {
        CalendarStart(argument: text).flatMap { CalendarRange(from: $0.date, months: months) }
    }
}

/// A quarter of an apartment in which all happens that a calendar shows.
enum SampleQuarter {
    static let bookings: [Booking] = [
        .stay(1, "alice", "2026-12-01", "2026-12-05"),
        .stay(2, "bob", "2026-12-05", "2026-12-06"),
        .stay(3, "carol", "2026-12-03", "2026-12-12", .pending),
        .stay(4, "dave", "2026-12-10", "2026-12-12", .pending),
        .stay(5, "erin", "2026-12-20", "2027-01-03"),
        .stay(6, "frank", "2026-12-30", "2027-01-01", .pending),
        .stay(7, "grace", "2026-12-31", "2027-02-03", .cancelled),
        .stay(8, "東京太郎", "2026-12-14", "2026-12-19"),
        .stay(9, "some-agency-with-a-long-name", "2027-02-12", "2027-02-13", .pending),
        .stay(10, "heidi", "2027-02-27", "2027-03-01"),
        .stay(11, "ivan", "2027-02-27", "2027-03-02", .pending),
        // These are outside.
        .stay(12, "judy", "2026-11-20", "2026-12-01"),
        .stay(13, "mallory", "2027-03-01", "2027-03-05"),
    ]
}
