import Bookings
import Histogram

/// The values of a daemon's histogram that came within the last few looks, and their percentiles.
struct LatencyWindow: Sendable {
    /// How many looks it spans.
    static let looks = 10

    /// Percentiles in seconds, and how many values there were.
    struct Percentiles: Codable, Hashable, Sendable {
        var count: Int
        var p50: Double
        var p90: Double
        var p99: Double
        var max: Double
    }

    /// The counts by bucket at each look, oldest first.
    private var history: [[Double: Int]] = []

    /// Adds a look. Counts that have fallen are those of a daemon that was started anew.
    mutating func add(_ sample: Metric.Sample?) {
        let counts = Dictionary(
            (sample?.buckets ?? []).map { ($0.upTo, min(max(0, $0.count), 1 << 40)) }, uniquingKeysWith: max)
        if let last = history.last, last.contains(where: { counts[$0.key, default: 0] < $0.value }) {
            history = [[:]]
        }
        history.append(counts)
        if history.count > Self.looks + 1 { history.removeFirst() }
    }

    /// Nil when there were no values.
    var percentiles: Percentiles? {
        guard let first = history.first, let last = history.last, history.count > 1 else { return nil }
        // Ten days in microseconds are the most that a daemon tells.
        var values = Histogram<UInt64>(
            lowestDiscernibleValue: 1, highestTrackableValue: 1_000_000_000_000,
            numberOfSignificantValueDigits: .two)
        for (upTo, count) in last {
            let new = count - first[upTo, default: 0]
            if new > 0 { values.record(UInt64(max(0, min(upTo, 1e6) * 1e6)), count: UInt64(new)) }
        }
        guard values.totalCount > 0 else { return nil }
        func seconds(_ percentile: Double) -> Double { Double(values.valueAtPercentile(percentile)) / 1e6 }
        return Percentiles(
            count: Int(values.totalCount), p50: seconds(50), p90: seconds(90), p99: seconds(99),
            max: seconds(100))
    }
}
