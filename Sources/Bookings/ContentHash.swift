/// FNV-1a of 128 bits (draft-eastlake-fnv): the same bytes give the same hash in every version of acms, and different
/// ones practically never do, unless somebody means them to.
package struct ContentHash: Sendable {
    private var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
    private static let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013b

    /// The hash of nothing.
    package init() {}

    /// Takes in a byte.
    package mutating func mix(_ byte: UInt8) {
        hash = (hash ^ UInt128(byte)) &* Self.prime
    }

    /// Takes in the UTF-8 of a text.
    package mutating func mix(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            for byte in bytes { mix(byte) }
        }
    }

    /// The 32 hexadecimal digits.
    package var description: String {
        String(unsafeUninitializedCapacity: 32) { digits in
            for index in 0..<32 {
                let digit = UInt8(truncatingIfNeeded: hash >> UInt128((31 - index) * 4)) & 0xf
                digits[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            }
            return 32
        }
    }

    /// The first eight bytes, big-endian.
    package var high: UInt64 { UInt64(hash >> 64) }
    /// The last eight bytes, big-endian.
    package var low: UInt64 { UInt64(truncatingIfNeeded: hash) }
}
