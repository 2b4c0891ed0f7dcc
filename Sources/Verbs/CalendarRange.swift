import Bookings

/// The days that a calendar shows: from a day to the end of a month.
struct CalendarRange: Equatable, Sendable {
    let first: CalendarDate
    /// The last day, which belongs to the range.
    let last: CalendarDate
    let months: [CalendarMonth]

    /// Nil when that goes beyond the year 9999, or when there is no month.
    ///
    /// - Parameter count: how many months, with the one that `first` is in.
    init?(from first: CalendarDate, months count: Int) {
        guard count >= 1 else { return nil }
        let months = (0..<count).compactMap { CalendarMonth(first).advanced(by: $0) }
        guard months.count == count, let month = months.last, let last = month.date(month.length) else {
            return nil
        }
        self.first = first
        self.last = last
        self.months = months
    }

    /// The days of one of its months that belong to it.
    func days(of month: CalendarMonth) -> ClosedRange<Int> {
        (month == CalendarMonth(first) ? first.day : 1)...month.length
    }

    /// Whether a night of the booking belongs to the range; the day of departure is free.
    func overlaps(_ booking: Booking) -> Bool {
        guard let start = CalendarDate(booking.startDate), let end = CalendarDate(booking.endDate) else {
            return false
        }
        return start < end && start <= last && first < end
    }
}
