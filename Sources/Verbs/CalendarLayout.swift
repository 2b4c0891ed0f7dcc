import Bookings

/// Which booking is where on a calendar, for all that draw it: months of lanes of bars. Pure.
struct CalendarLayout: Equatable, Sendable {
    /// The part of a booking that is in one month.
    struct Bar: Equatable, Sendable {
        let booking: Booking
        /// From the first day that is shown to the day before the departure.
        let days: ClosedRange<Int>
        /// Whether the stay begins before these days.
        let beginsBefore: Bool
        /// Whether the stay goes on after these days.
        let goesOn: Bool
    }

    /// A month, and its bars: in a lane none overlaps another.
    struct Month: Equatable, Sendable {
        let month: CalendarMonth
        /// The days that are shown.
        let days: ClosedRange<Int>
        let lanes: [[Bar]]
    }

    let range: CalendarRange
    let months: [Month]

    /// Lays out bookings, of which those outside the range count for nothing.
    ///
    /// - Parameter labelDays: how many days behind its bar a bar's label takes; zero when it is in the bar.
    init(_ bookings: [Booking], in range: CalendarRange, labelDays: (Bar) -> Int) {
        self.range = range
        let bookings = bookings.sorted(by: Self.isBefore)
        months = range.months.map { month in
            let days = range.days(of: month)
            var lanes: [(bars: [Bar], taken: Int)] = []
            for bar in bookings.compactMap({ Self.bar($0, in: month, days) }) {
                let taken = bar.days.upperBound + labelDays(bar)
                if let lane = lanes.firstIndex(where: { $0.taken < bar.days.lowerBound }) {
                    lanes[lane].bars.append(bar)
                    lanes[lane].taken = taken
                } else {
                    lanes.append(([bar], taken))
                }
            }
            return Month(month: month, days: days, lanes: lanes.map(\.bars))
        }
    }

    /// By arrival; of those on one day what is decided comes first, and the rest is as it was accepted.
    static func isBefore(_ left: Booking, _ right: Booking) -> Bool {
        (left.startDate, left.bookingStatus.calendarOrder, left.id)
            < (right.startDate, right.bookingStatus.calendarOrder, right.id)
    }

    private static func bar(_ booking: Booking, in month: CalendarMonth, _ days: ClosedRange<Int>) -> Bar? {
        guard let start = CalendarDate(booking.startDate), let end = CalendarDate(booking.endDate),
            let first = month.date(days.lowerBound), let last = month.date(days.upperBound),
            start < end, start <= last, first < end
        else { return nil }
        let from = start < first ? days.lowerBound : start.day
        let to = end > last ? days.upperBound : end.day - 1
        // A stay that ends on the day after the last one is whole.
        let isWhole = end <= last || CalendarMonth(end) == month.advanced(by: 1) && end.day == 1
        return Bar(booking: booking, days: from...to, beginsBefore: start < first, goesOn: !isWhole)
    }
}

extension BookingStatus {
    fileprivate var calendarOrder: Int {
        switch self {
        case .approved: 0
        case .pending: 1
        case .cancelled: 2
        }
    }
}
