import CLinux

/// The identity of a booking: 128 bits in the text form of RFC 9562, lower case.
///
/// Accepted bookings get a version 7 UUID, so that ids sort by time of acceptance. A message that was put into
/// the spool by hand without an id gets a version 8 UUID from its file's name and line.
public struct BookingID: Hashable, Comparable, Sendable {
    /// The first eight bytes, big-endian.
    public let high: UInt64
    /// The last eight bytes, big-endian.
    public let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the 36-character text form, in either case; nil when `text` is none.
    public init?(_ text: String) {
        var text = text
        guard let id = text.withUTF8({ BookingID(UnsafeRawBufferPointer($0)) }) else { return nil }
        self = id
    }

    /// Reads the text form in ASCII; nil when the bytes are none.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 36 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for (index, byte) in bytes.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            if index < 18 {
                words.0 = words.0 << 4 | UInt64(digit)
            } else {
                words.1 = words.1 << 4 | UInt64(digit)
            }
        }
        (high, low) = words
    }

    /// The id of a message that names none: FNV-1a of 128 bits (draft-eastlake-fnv) over the file's name, a NUL
    /// and the line's number in decimal, as a version 8 UUID. The same name and line give the same id.
    ///
    /// - Parameter line: counted from 1; 0 stands for the whole file.
    public static func derived(fileName: String, line: Int) -> BookingID {
        var hash = ContentHash()
        hash.mix(fileName)
        hash.mix(0)
        hash.mix(String(line))
        return BookingID(version: 8, high: hash.high, low: hash.low)
    }

    /// A version 7 UUID: 48 bits of time in milliseconds, then `random`.
    public static func version7(at time: Timestamp, random: (UInt64, UInt64)) -> BookingID {
        let milliseconds = UInt64(clamping: time.milliseconds)
        return BookingID(version: 7, high: milliseconds << 16 | random.0 & 0xffff, low: random.1)
    }

    private init(version: UInt64, high: UInt64, low: UInt64) {
        self.high = high & ~0xf000 | version << 12
        self.low = low & ~(0b11 << 62) | 0b10 << 62
    }

    /// The time that a version 7 UUID carries; nil for other versions.
    public var time: Timestamp? {
        high >> 12 & 0xf == 7 ? Timestamp(milliseconds: Int64(high >> 16)) : nil
    }

    /// Orders as the text forms do.
    public static func < (left: BookingID, right: BookingID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension BookingID: CustomStringConvertible {
    /// For example `01932b1c-7a5e-7d11-9c55-0242ac120002`.
    public var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for digit in 0..<32 {
                if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                let word = digit < 16 ? high : low
                let value = UInt8(truncatingIfNeeded: word >> UInt64((15 - digit % 16) * 4)) & 0xf
                buffer[position] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
                position += 1
            }
            return position
        }
    }
}

extension BookingID: Codable {
    /// Decodes the text form.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = BookingID(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UUID")
        }
        self = id
    }

    /// Encodes the text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// Makes version 7 ids that rise strictly, also within a millisecond and when the clock steps back
/// (RFC 9562 section 6.2, method 2: a random seed a millisecond that is counted up).
public struct BookingIDGenerator: Sendable {
    private var last = BookingID(high: 0, low: 0)
    /// Random words that were not used yet: the kernel is asked for many at a time.
    private var random: [UInt64] = []

    /// Starts with no memory of earlier ids.
    public init() {}

    private mutating func randomWord() -> UInt64 {
        if random.isEmpty {
            random = [UInt64](unsafeUninitializedCapacity: 32) { words, count in
                // As many bytes as getrandom(2) always gives at once.
                let filled = getrandom(words.baseAddress, UInt(words.count * MemoryLayout<UInt64>.size), 0)
                count = max(0, filled) / MemoryLayout<UInt64>.size
            }
        }
        return random.popLast() ?? .random(in: 0 ... .max)
    }

    /// The next id, greater than every one before it.
    public mutating func next(at time: Timestamp) -> BookingID {
        if let lastTime = last.time, time <= lastTime {
            // The low word counts up by a random step, so that ids can't be guessed from their neighbours.
            let (low, overflow) = (last.low & ~(0b11 << 62)).addingReportingOverflow(
                randomWord() & 0xffff_ffff + 1)
            let carry = overflow || low >> 62 != 0
            last = BookingID.version7(
                at: Timestamp(milliseconds: lastTime.milliseconds + (carry ? 1 : 0)),
                random: (last.high & 0xfff, low))
        } else {
            last = .version7(at: time, random: (randomWord(), randomWord()))
        }
        return last
    }
}
