import ArgumentParser
import Bookings

/// Where a calendar begins, as one types it: a day, or a month, which stands for its first day.
struct CalendarStart: ExpressibleByArgument {
    let date: CalendarDate

    init?(argument: String) {
        guard let date = CalendarDate(argument) ?? CalendarMonth(argument)?.date(1) else { return nil }
        self.date = date
    }
}
