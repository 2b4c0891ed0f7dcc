extension Timestamp {
    /// Reads an RFC 3339 time of the years 0001 to 9999; nil when `text` is none. What is finer than a
    /// millisecond is dropped, and a leap second is the first one of the next minute.
    ///
    /// `Date`'s own style takes the 30th of February, trailing text and other forms of ISO 8601, and puts the
    /// years before 1582 into another calendar than `description` does.
    public init?(_ text: String) {
        var text = text
        guard let time = text.withUTF8({ Timestamp(UnsafeRawBufferPointer($0)) }) else { return nil }
        self = time
    }

    /// Reads an RFC 3339 time in ASCII; nil when the bytes are none.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 20, CalendarDate(UnsafeRawBufferPointer(rebasing: bytes[..<10])) != nil,
            let year = Self.number(bytes[0..<4]), let month = Self.number(bytes[5..<7]),
            let day = Self.number(bytes[8..<10]), bytes[10] | 0x20 == UInt8(ascii: "t"),
            let hour = Self.number(bytes[11..<13]), hour < 24, bytes[13] == UInt8(ascii: ":"),
            let minute = Self.number(bytes[14..<16]), minute < 60, bytes[16] == UInt8(ascii: ":"),
            let second = Self.number(bytes[17..<19]), second <= 60
        else { return nil }
        var rest = bytes[19...]
        var fraction: Int64 = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            guard !digits.isEmpty, let value = Self.number(digits.prefix(3)) else { return nil }
            fraction = digits.count == 1 ? value * 100 : digits.count == 2 ? value * 10 : value
            rest = rest.dropFirst(1 + digits.count)
        }
        guard let offset = Self.offset(rest) else { return nil }
        let minutes = (Self.day(year: year, month: month, day: day) * 24 + hour) * 60 + minute - offset
        milliseconds = (minutes * 60 + second) * 1000 + fraction
        // An offset can lead out of the years that can be written.
        guard (-62_135_596_800_000...253_402_300_799_999).contains(milliseconds) else { return nil }
    }

    /// `Z` or `+hh:mm`, in minutes.
    private static func offset(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int64? {
        if bytes.count == 1, let byte = bytes.first { return byte | 0x20 == UInt8(ascii: "z") ? 0 : nil }
        let bytes = UnsafeRawBufferPointer(rebasing: bytes)
        guard bytes.count == 6, bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
            let hours = number(bytes[1..<3]), hours < 24, bytes[3] == UInt8(ascii: ":"),
            let minutes = number(bytes[4..<6]), minutes < 60
        else { return nil }
        return (bytes[0] == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
    }

    private static func number(_ digits: some Sequence<UInt8>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }

    /// The days from 1970-01-01 to a date: Howard Hinnant's `days_from_civil`
    /// (https://howardhinnant.github.io/date_algorithms.html), in years that begin in March. The years read here
    /// are not negative, so plain division does.
    private static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let yearOfEra = year % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return year / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
