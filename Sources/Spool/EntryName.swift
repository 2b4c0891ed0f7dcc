import Bookings

/// The name of a spool entry. Those that acms itself gives, which are nearly all, take up no memory of their own.
///
/// Compared byte for byte as the file system does it (Swift's `String` would take canonically equivalent spellings
/// for one).
public struct EntryName: Hashable, Sendable {
    private enum Form: Hashable {
        /// `UUID.COUNT.jsonl`
        case group(BookingID, count: UInt32)
        /// `UUID.letter`
        case letter(BookingID)
        case other([UInt8])
    }

    private let form: Form

    /// Takes a name over.
    public init(_ text: String) {
        var text = text
        form = text.withUTF8 { Self.ownForm($0) } ?? .other(Array(text.utf8))
    }

    /// - Returns: nil when the bytes are no UTF-8.
    init?(validating bytes: UnsafeBufferPointer<UInt8>) {
        if let form = Self.ownForm(bytes) {
            self.form = form
        } else {
            guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
            form = .other(Array(text.utf8))
        }
    }

    /// - Returns: nil for a name that isn't, to the byte, what its parts would be written as.
    private static func ownForm(_ bytes: UnsafeBufferPointer<UInt8>) -> Form? {
        let idLength = 36
        guard bytes.count > idLength, bytes[idLength] == UInt8(ascii: "."),
            let id = BookingID(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<idLength])),
            !bytes[..<idLength].contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) })
        else { return nil }
        let rest = bytes[idLength...]
        if rest.elementsEqual(DeadLetterFile.suffix.utf8) { return .letter(id) }
        let suffix = SpoolFileName.suffix.utf8
        let digits = rest.dropFirst().dropLast(suffix.count)
        guard rest.suffix(suffix.count).elementsEqual(suffix), (1...9).contains(digits.count),
            digits.first != UInt8(ascii: "0")
        else { return nil }
        var count: UInt32 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            count = count * 10 + UInt32(digit - UInt8(ascii: "0"))
        }
        return .group(id, count: count)
    }

    /// How many messages the name promises; nil when it promises nothing.
    var count: Int? { if case .group(_, let count) = form { Int(count) } else { nil } }

    /// Whether it is the name of a dead letter.
    public var isLetter: Bool { if case .letter = form { true } else { false } }

    /// Whether the entry is being written, and left alone.
    var isHidden: Bool {
        if case .other(let bytes) = form { bytes.first == UInt8(ascii: ".") } else { false }
    }
}

extension EntryName: CustomStringConvertible {
    /// The name as the file system has it.
    public var description: String {
        switch form {
        case .group(let id, let count): SpoolFileName.make(first: id, count: Int(count))
        case .letter(let id): DeadLetterFile.name(id)
        case .other(let bytes): String(decoding: bytes, as: UTF8.self)
        }
    }
}

extension EntryName: Comparable {
    /// Orders as the file system's bytes do; names of groups so order by arrival.
    public static func < (left: EntryName, right: EntryName) -> Bool {
        if case .group(let first, _) = left.form, case .group(let second, _) = right.form, first != second {
            return first < second
        }
        return left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }
}
