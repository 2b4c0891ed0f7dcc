public import Bookings
import Histogram
import Synchronization

/// Counts durations by how long they are, right to two significant digits from a microsecond to some days, in little
/// memory however many there are.
public final class DurationHistogram: Sendable {
    private struct State {
        var counts = Histogram<UInt64>(
            lowestDiscernibleValue: 1, highestTrackableValue: DurationHistogram.longest,
            numberOfSignificantValueDigits: .two)
        var sum = 0.0
    }

    /// In microseconds; what is longer counts as this long.
    private static let longest: UInt64 = 10 * 86_400 * 1_000_000

    private let state = Mutex(State())

    /// Knows no duration yet.
    public init() {}

    /// Counts a duration, `count` times.
    public func record(_ duration: Duration, count: Int = 1) { record([(duration, count)]) }

    /// Counts durations, each so many times.
    public func record(_ durations: some Sequence<(duration: Duration, count: Int)>) {
        state.withLock { state in
            for (duration, count) in durations where count > 0 {
                let seconds = max(0, duration / .seconds(1))
                state.sum += seconds * Double(count)
                let microseconds = min(UInt64(min(seconds * 1e6, 1e18)), Self.longest)
                state.counts.record(microseconds, count: UInt64(count))
            }
        }
    }

    /// What was counted so far, in seconds.
    public func sample(labels: [String: String] = [:]) -> Metric.Sample {
        let state = state.withLock { $0 }
        let buckets = state.counts.recordedValues().map { step in
            Metric.Bucket(
                upTo: Double(state.counts.highestEquivalentForValue(step.value)) / 1e6, count: Int(step.count)
            )
        }
        return Metric.Sample(sum: state.sum, buckets: buckets, labels: labels)
    }
}
