import Bookings
import Testing

@testable import Daemon

@Suite struct DurationHistogramTests {
    @Test func `durations are counted to two digits, and summed up as they are`() throws {
        let histogram = DurationHistogram()
        histogram.record(.microseconds(1234))
        histogram.record(.seconds(90), count: 3)
        histogram.record(.zero)
        let sample = histogram.sample(labels: ["a": "b"])
        let buckets = try #require(sample.buckets)
        #expect(buckets.map(\.count) == [1, 1, 3])
        for (bucket, seconds) in zip(buckets, [0, 0.001234, 90]) {
            #expect(bucket.upTo >= seconds && bucket.upTo <= seconds * 1.01 + 1e-6)
        }
        #expect(abs((sample.sum ?? 0) - 270.001234) < 1e-9)
        #expect(sample.labels == ["a": "b"] && sample.value == nil)
    }

    @Test func `what is longer than it can tell, or less than nothing, is counted all the same`() throws {
        let histogram = DurationHistogram()
        histogram.record(.seconds(1 << 40))
        histogram.record(.seconds(-5))
        let buckets = try #require(histogram.sample().buckets)
        #expect(buckets.map(\.count) == [1, 1])
        #expect(buckets[1].upTo > 800_000)
    }
}
