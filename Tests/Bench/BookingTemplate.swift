/// A text with the fields of a booking in it, to be filled in for one booking after the other.
///
/// All bookings of a run differ in their user. Users come in no order, as they do in life, since tables and indexes
/// take what is in order more cheaply. Each field has the same length in all bookings.
struct BookingTemplate {
    /// How long the fields are, in bytes.
    static let userLength = 24, apartmentLength = 14, dateLength = 10
    /// How many bookings there are.
    static let limit = 100_000_000

    /// The text, with some booking's fields.
    let bytes: [UInt8]
    /// Where the fields are in it.
    let user, apartment, start, end: Int

    /// - Parameter text: it holds each of `<user>`, `<apartment>`, `<start>` and `<end>` once, in this order.
    init(_ text: String) throws {
        var bytes: [UInt8] = []
        var offsets: [Int] = []
        var rest = Substring(text)
        for (mark, sample) in [
            ("<user>", "user00000000@example.org"), ("<apartment>", "apartment-0000"),
            ("<start>", "2027-01-01"), ("<end>", "2027-01-02"),
        ] {
            guard let range = rest.firstRange(of: mark) else { throw Failure("no \(mark) in a template") }
            bytes += Array(rest[..<range.lowerBound].utf8)
            offsets.append(bytes.count)
            bytes += Array(sample.utf8)
            rest = rest[range.upperBound...]
        }
        self.bytes = bytes + Array(rest.utf8)
        (user, apartment, start, end) = (offsets[0], offsets[1], offsets[2], offsets[3])
    }

    /// Writes the text of a booking.
    func write(_ number: Int, to target: UnsafeMutablePointer<UInt8>) {
        bytes.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { target.update(from: base, count: source.count) }
        }
        // Odd and no multiple of five, so that no two numbers below the limit give one user.
        let shuffled = number * 61_803_399 % Self.limit
        Self.write(shuffled, digits: 8, to: target + user + 4)
        Self.write(shuffled / 7 % 10_000, digits: 4, to: target + apartment + 10)
        let (month, day, nights) = (1 + number % 12, 1 + shuffled % 20, 1 + number % 7)
        Self.write(month, digits: 2, to: target + start + 5)
        Self.write(day, digits: 2, to: target + start + 8)
        Self.write(month, digits: 2, to: target + end + 5)
        Self.write(day + nights, digits: 2, to: target + end + 8)
    }

    private static func write(_ number: Int, digits: Int, to target: UnsafeMutablePointer<UInt8>) {
        var rest = number
        for place in (0..<digits).reversed() {
            target[place] = 48 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}
