/// A user and one of their apartments or keys, compared byte for byte as the table compares them (Swift's
/// `String` would take canonically equivalent spellings for one).
///
/// It is a hash of 128 bits, so that a million of them need little room. `Hasher` is SipHash with a key of this
/// process that nobody else knows; two hashes that begin differently are independent of each other. Two claims
/// that have both in common are not to be expected (among a million, one chance in 10^26) and can't be contrived.
public struct ClaimKey: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// What an undecided booking claims.
    public init(userID: String, apartmentID: String) { self.init(userID, apartmentID) }

    /// What a booking with an idempotency key claims.
    public init(userID: String, idempotencyKey: String) { self.init(userID, idempotencyKey) }

    private init(_ first: String, _ second: String) {
        var (high, low) = (Hasher(), Hasher())
        high.combine(0 as UInt8)
        low.combine(1 as UInt8)
        func combine(_ text: String) {
            var text = text
            text.withUTF8 { bytes in
                high.combine(bytes: UnsafeRawBufferPointer(bytes))
                low.combine(bytes: UnsafeRawBufferPointer(bytes))
            }
        }
        combine(first)
        // Identifiers hold no NUL, so it separates them.
        high.combine(0 as UInt8)
        low.combine(0 as UInt8)
        combine(second)
        self.high = UInt64(bitPattern: Int64(high.finalize()))
        self.low = UInt64(bitPattern: Int64(low.finalize()))
    }

    /// Half of it does: the halves are random and independent.
    public func hash(into hasher: inout Hasher) { hasher.combine(low) }
}
