/// CRC-32C, the Castagnoli polynomial, as in RFC 3720 appendix B.4, eight bytes at a time ("slicing by 8").
enum CRC32C {
    /// Row 0 is the table for single bytes; row n is for a byte that n others follow.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = []
        tables.reserveCapacity(8 * 256)
        for index in 0..<UInt32(256) {
            var value = index
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
            tables.append(value)
        }
        for index in 256..<(8 * 256) {
            let previous = tables[index - 256]
            tables.append(tables[Int(previous & 0xff)] ^ previous >> 8)
        }
        return tables
    }()

    /// The checksum of `bytes`, or, when the checksum of what comes before them is given, of both.
    static func checksum(_ bytes: UnsafeRawBufferPointer, after previous: UInt32 = 0) -> UInt32 {
        tables.withUnsafeBufferPointer { tables in
            var value = ~previous
            var offset = 0
            while offset + 8 <= bytes.count {
                let word =
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                    ^ UInt64(value)
                value = 0
                for byte in 0..<8 {
                    value ^= tables[(7 - byte) * 256 + Int(word >> UInt64(byte * 8) & 0xff)]
                }
                offset += 8
            }
            while offset < bytes.count {
                value = tables[Int(UInt8(truncatingIfNeeded: value) ^ bytes[offset])] ^ value >> 8
                offset += 1
            }
            return ~value
        }
    }

    /// The checksum of `bytes`.
    static func checksum(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { checksum($0) } }

    /// How many digits a checksum has in the spool.
    static let digits = 8

    /// The checksum as the spool writes it: eight lower-case hexadecimal digits.
    static func text(_ bytes: [UInt8]) -> String { text(checksum(bytes)) }

    /// A checksum as the spool writes it.
    static func text(_ checksum: UInt32) -> String {
        String(unsafeUninitializedCapacity: digits) { text in
            for index in 0..<digits {
                let digit = UInt8(truncatingIfNeeded: checksum >> UInt32(28 - 4 * index) & 0xf)
                text[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            }
            return digits
        }
    }
}
