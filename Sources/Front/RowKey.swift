import Bookings
import Spool

/// What a `RowIndex` finds rows by.
protocol RowKey: Hashable {
    /// A hash that nobody else can foresee, or whoever books could make all chains one.
    var rowHash: UInt32 { get }
}

extension RowKey {
    /// SipHash with a key of this process.
    var rowHash: UInt32 { UInt32(truncatingIfNeeded: hashValue) }
}

extension BookingID: RowKey {}
extension EntryName: RowKey {}

extension ClaimKey: RowKey {
    /// It is such a hash already.
    var rowHash: UInt32 { UInt32(truncatingIfNeeded: hash) }
}
