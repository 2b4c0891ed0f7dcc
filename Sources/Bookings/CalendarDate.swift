/// A day of the proleptic Gregorian calendar, years 0001 to 9999, written `YYYY-MM-DD` (RFC 3339 full-date).
public struct CalendarDate: Hashable, Comparable, Sendable {
    /// The year times 10,000, plus the month times 100, plus the day: orders as the days do.
    private let number: Int32

    /// Reads exactly `YYYY-MM-DD`; nil when `text` has another form or names no real day.
    public init?(_ text: String) {
        var text = text
        guard let date = text.withUTF8({ CalendarDate(UnsafeRawBufferPointer($0)) }) else { return nil }
        self = date
    }

    /// Reads exactly `YYYY-MM-DD` in ASCII; nil when the bytes have another form or name no real day.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 10 else { return nil }
        var digits: Int32 = 0
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 7 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
                digits = digits * 10 + Int32(byte - UInt8(ascii: "0"))
            }
        }
        let (year, month, day) = (digits / 10_000, digits / 100 % 100, digits % 100)
        guard year >= 1, (1...12).contains(month), (1...Self.days(ofMonth: month, year: year)).contains(day)
        else { return nil }
        number = digits
    }

    private static func days(ofMonth month: Int32, year: Int32) -> Int32 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func isLeap(_ year: Int32) -> Bool {
        guard year % 4 == 0 else { return false }
        return year % 100 != 0 || year % 400 == 0 || PlantedFault.fourthYearLeaps.isPlanted
    }

    /// Orders by time.
    public static func < (left: CalendarDate, right: CalendarDate) -> Bool {
        left.number < right.number
    }
}

extension CalendarDate: CustomStringConvertible {
    /// `YYYY-MM-DD`.
    public var description: String {
        String(unsafeUninitializedCapacity: 10) { text in
            var text = DigitWriter(text)
            text.write(Int(number) / 10_000, digits: 4)
            text.write(UInt8(ascii: "-"))
            text.write(Int(number) / 100 % 100, digits: 2)
            text.write(UInt8(ascii: "-"))
            text.write(Int(number) % 100, digits: 2)
            return text.count
        }
    }
}

/// The nights of a booking: the half-open range from the day of arrival to the day of departure.
public struct Stay: Hashable, Sendable {
    /// The first day; belongs to the range.
    public let start: CalendarDate
    /// The day after the last night; does not belong to the range.
    public let end: CalendarDate

    /// Nil unless `start` is before `end`.
    public init?(from start: CalendarDate, to end: CalendarDate) {
        guard start < end else { return nil }
        self.start = start
        self.end = end
    }

    /// Whether a night belongs to both.
    public func overlaps(_ other: Stay) -> Bool {
        start < other.end && other.start < end
    }
}
