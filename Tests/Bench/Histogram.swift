/// Counts durations by size, with an error below 4 %, in memory that doesn't grow.
struct Histogram {
    private var counts = [Int](repeating: 0, count: 64 * 32)
    private(set) var count = 0
    private(set) var maximum: Int64 = 0

    /// Counts a duration in nanoseconds.
    mutating func add(_ nanoseconds: Int64) {
        counts[Self.slot(UInt64(max(nanoseconds, 0)))] += 1
        count += 1
        maximum = max(maximum, nanoseconds)
    }

    /// The duration in nanoseconds that this share of all durations doesn't exceed.
    func quantile(_ share: Double) -> Int64 {
        var left = Int((Double(count) * share).rounded(.up))
        for (slot, number) in counts.enumerated() {
            left -= number
            if left <= 0 { return min(Self.end(of: slot), maximum) }
        }
        return maximum
    }

    /// Below 32 a slot a nanosecond; above, 32 slots for each power of two.
    private static func slot(_ value: UInt64) -> Int {
        guard value >= 32 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        return (exponent - 4) << 5 | Int(value >> (exponent - 5) & 31)
    }

    private static func end(of slot: Int) -> Int64 {
        guard slot >= 32 else { return Int64(slot) }
        let exponent = slot >> 5 + 4
        return Int64(32 + slot & 31 + 1) << (exponent - 5) - 1
    }
}
