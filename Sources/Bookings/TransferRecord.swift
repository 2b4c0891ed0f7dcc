/// How something of the target stands to what the source has under the same id.
public enum TransferMatch: Hashable, Sendable {
    /// It is the same.
    case same
    /// It is the same booking, about which something was done there since.
    case later
    /// It is the same booking, about which something was done at the source since.
    case earlier
    /// It is something else.
    case different
}

/// Why something can't be moved.
public struct TransferConflict: Codable, Hashable, Sendable {
    /// What can't be moved.
    public var id: String
    /// Why not, in a sentence.
    public var reason: String
    /// What stands against it in the target.
    public var otherId: String?

    /// Describes what stands against a booking.
    public init(id: String, reason: String, otherId: String? = nil) {
        self.id = id
        self.reason = reason
        self.otherId = otherId
    }
}

/// Something that is moved, in a form that no engine has a say in.
public protocol TransferRecord: Sendable {
    /// Takes in all there is.
    func mix(into hash: inout RecordHash)
}

/// The hash of one record: its fields, each told from the next.
public struct RecordHash: Sendable {
    private var hash = ContentHash()

    /// The hash of a record.
    public init(_ record: some TransferRecord) { record.mix(into: &self) }

    /// Takes in a text, or that there is none.
    package mutating func add(_ text: String?) {
        guard let text else {
            hash.mix(0)
            return
        }
        hash.mix(1)
        hash.mix("\(text.utf8.count) ")
        hash.mix(text)
    }

    /// Takes in a time, or that there is none.
    package mutating func add(_ time: Timestamp?) { add(time.map { "\($0.milliseconds)" }) }

    /// Takes in bytes.
    package mutating func add(bytes: [UInt8]) {
        hash.mix("\(bytes.count) ")
        for byte in bytes { hash.mix(byte) }
    }

    /// All of it.
    package var value: UInt128 { UInt128(hash.high) << 64 | UInt128(hash.low) }
}

/// A checksum of many records that doesn't depend on their order: how many there are, and the sum of their hashes.
public struct TransferDigest: Hashable, Sendable {
    /// How many records.
    public private(set) var count = 0
    private var sum: UInt128 = 0

    /// Of nothing.
    public init() {}

    /// Takes in a record.
    public mutating func add(_ record: some TransferRecord) {
        count += 1
        sum &+= RecordHash(record).value
    }

    /// Takes in all of another.
    public mutating func add(_ other: TransferDigest) {
        count += other.count
        sum &+= other.sum
    }
}

extension TransferDigest: CustomStringConvertible {
    /// 32 hexadecimal digits.
    public var description: String {
        let digits = String(sum, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}
