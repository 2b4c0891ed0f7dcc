import Bookings

/// A checksum as the last member of a JSON object, as lines of messages have it: `…,"crc32c":"…"}`. It covers the
/// bytes of the object up to the comma before it, and what follows the object's line.
enum Seal {
    /// The object with its checksum.
    ///
    /// - Parameters:
    ///   - object: in bytes, with at least one member.
    ///   - follow: continues a checksum with what follows.
    static func seal<Failure>(
        _ object: [UInt8], _ follow: (UInt32) throws(Failure) -> UInt32
    ) throws(Failure) -> [UInt8] {
        let covered = Array(object.dropLast())
        return covered + tail(CRC32C.text(try follow(CRC32C.checksum(covered))))
    }

    /// Whether the checksum is right; nil when there is none, as in what was written by hand.
    static func isIntact<Failure>(
        _ object: [UInt8], _ follow: (UInt32) throws(Failure) -> UInt32
    ) throws(Failure) -> Bool? {
        let length = tail(String(repeating: "0", count: CRC32C.digits)).count
        guard object.count > length else { return nil }
        let covered = Array(object.dropLast(length))
        guard object.suffix(length).starts(with: #","crc32c":""#.utf8) else { return nil }
        if PlantedFault.skipChecksum.isPlanted { return true }
        return object.suffix(length).elementsEqual(
            tail(CRC32C.text(try follow(CRC32C.checksum(covered)))))
    }

    private static func tail(_ checksum: String) -> [UInt8] { Array(#","crc32c":"\#(checksum)"}"#.utf8) }
}
