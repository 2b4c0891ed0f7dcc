/// JSON (RFC 8259) that is put together by hand, where so much is written that a general encoder would take most of
/// the time.
extension [UInt8] {
    /// Appends text as it is.
    package mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a string with its quotation marks. Only what must be escaped is (section 7).
    package mutating func append(quoting text: String) {
        append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { bytes in
            guard bytes.contains(where: Self.isEscaped) else { return append(contentsOf: bytes) }
            for byte in bytes {
                if byte < 0x20 {
                    append("\\u00")
                    append(UInt8(ascii: "0") + byte >> 4)
                    append(Self.lowDigit(of: byte))
                } else {
                    if Self.isEscaped(byte) { append(UInt8(ascii: "\\")) }
                    append(byte)
                }
            }
        }
        append(UInt8(ascii: "\""))
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func lowDigit(of byte: UInt8) -> UInt8 {
        let digit = byte & 0xf
        return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
}
