/// A user and one of their apartments or keys, compared byte for byte as the table compares them (Swift's
/// `String` would take canonically equivalent spellings for one).
///
/// It is a hash of 128 bits, so that a million of them need little room. `Hasher` is SipHash with a key of this
/// process that nobody else knows; two ends of one hash, as SipHash's own form of 128 bits has them, make it long
/// enough that no two claims have both in common (among a million, one chance in 10^26), not even contrived ones.
public struct ClaimKey: Hashable, Sendable {
    private let high: Int
    private let low: Int

    /// What an undecided booking claims.
    public init(userID: String, apartmentID: String) { self.init(userID, apartmentID) }

    /// What a booking with an idempotency key claims.
    public init(userID: String, idempotencyKey: String) { self.init(userID, idempotencyKey) }

    private init(_ first: String, _ second: String) {
        var (first, second) = (first, second)
        var hasher = Hasher()
        first.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // Identifiers hold no NUL, so it separates them.
        hasher.combine(0 as UInt8)
        second.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        var other = hasher
        other.combine(0 as UInt8)
        high = hasher.finalize()
        low = other.finalize()
    }

    /// A hash of it, as random as all of it: the halves are independent.
    package var hash: Int { low }

    /// Half of it does.
    public func hash(into hasher: inout Hasher) { hasher.combine(low) }
}
