import FoundationEssentials

/// An instant in whole milliseconds since 1970-01-01T00:00:00Z; on the wire an RFC 3339 time in UTC.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    public let milliseconds: Int64

    /// Creates a timestamp from milliseconds since 1970-01-01T00:00:00Z.
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The present time of the system's clock.
    public static func now() -> Timestamp {
        Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
    }

    /// This instant moved by `duration`, in whole milliseconds.
    public func advanced(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(milliseconds: milliseconds + seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }

    /// The time from `earlier` to this instant; negative when `earlier` is later.
    public func since(_ earlier: Timestamp) -> Duration {
        .milliseconds(milliseconds - earlier.milliseconds)
    }

    /// Orders by time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }
}

extension Timestamp: CustomStringConvertible {
    /// For example `2026-11-22T21:10:05.123Z`.
    public var description: String {
        let day = milliseconds.dividingFloored(by: 86_400_000)
        let date = Self.civil(day: day.quotient)
        let time = Int(day.remainder)
        // What is out of the years that can be written is cut: nothing here makes or reads such a time.
        let year = Int(min(max(date.year, 0), 9999))
        return String(unsafeUninitializedCapacity: 24) { text in
            var text = DigitWriter(text)
            text.write(year, digits: 4)
            text.write(UInt8(ascii: "-"))
            text.write(Int(date.month), digits: 2)
            text.write(UInt8(ascii: "-"))
            text.write(Int(date.day), digits: 2)
            text.write(UInt8(ascii: "T"))
            text.write(time / 3_600_000, digits: 2)
            text.write(UInt8(ascii: ":"))
            text.write(time / 60_000 % 60, digits: 2)
            text.write(UInt8(ascii: ":"))
            text.write(time / 1000 % 60, digits: 2)
            text.write(UInt8(ascii: "."))
            text.write(time % 1000, digits: 3)
            text.write(UInt8(ascii: "Z"))
            return text.count
        }
    }

    /// The date of a day counted from 1970-01-01: Howard Hinnant's `civil_from_days`
    /// (https://howardhinnant.github.io/date_algorithms.html), in years that begin in March. `Date`'s own style
    /// goes through floating point and loses milliseconds.
    private static func civil(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let era = (day + 719_468).dividingFloored(by: 146_097)
        let dayOfEra = era.remainder
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era.quotient * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension Int64 {
    fileprivate func dividingFloored(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

extension Timestamp: Codable {
    /// Decodes an RFC 3339 string.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let timestamp = Timestamp(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not an RFC 3339 time such as 2026-11-22T21:10:05Z")
        }
        self = timestamp
    }

    /// Encodes an RFC 3339 string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
