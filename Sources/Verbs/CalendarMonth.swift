import Bookings

/// A month of the Gregorian calendar, years 0001 to 9999, written `YYYY-MM`.
struct CalendarMonth: Hashable, Sendable {
    let year: Int
    /// 1 to 12.
    let number: Int

    private init?(year: Int, number: Int) {
        guard (1...9999).contains(year), (1...12).contains(number) else { return nil }
        self.year = year
        self.number = number
    }

    /// Reads exactly `YYYY-MM`.
    init?(_ text: String) {
        guard let first = CalendarDate("\(text)-01") else { return nil }
        self.init(first)
    }

    /// The month that a day is in.
    init(_ date: CalendarDate) {
        let parts = "\(date)".split(separator: "-").compactMap { Int($0) }
        (year, number) = (parts[0], parts[1])
    }

    /// The month so many months later; nil after 9999-12.
    func advanced(by months: Int) -> CalendarMonth? {
        let index = year * 12 + number - 1 + months
        return CalendarMonth(year: index / 12, number: index % 12 + 1)
    }

    /// A day of it; nil when it hasn't so many.
    func date(_ day: Int) -> CalendarDate? { CalendarDate("\(self)-\(Self.digits(day, 2))") }

    /// How many days it has.
    var length: Int { (28...31).last { date($0) != nil } ?? 28 }

    /// The weekday of a day, 0 for Monday: Tomohiko Sakamoto's method, in years that begin in March.
    func weekday(_ day: Int) -> Int {
        let year = number < 3 ? year - 1 : year
        let shift = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4][number - 1]
        let fromSunday = (year + year / 4 - year / 100 + year / 400 + shift + day) % 7
        return (fromSunday + 6) % 7
    }

    /// Whether a day is a Saturday or a Sunday.
    func isWeekend(_ day: Int) -> Bool { weekday(day) >= 5 }

    /// For example `December 2026`.
    var title: String { "\(Self.names[number - 1]) \(year)" }

    private static let names = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    ]

    fileprivate static func digits(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }
}

extension CalendarMonth: CustomStringConvertible {
    /// `YYYY-MM`.
    var description: String { "\(Self.digits(year, 4))-\(Self.digits(number, 2))" }
}

extension CalendarDate {
    /// The day of the month, from 1.
    var day: Int { Int("\(self)".suffix(2)) ?? 1 }
}
