import Bookings
import Spool

/// How the queue is now, as the front knows it.
struct QueueGauges: Sendable {
    let counts: PlaceCounts
    let bytes: Int
    let oldest: Timestamp?
    let limits: Settings.Spool
    /// Nil where that can't be told.
    let freeBytes: Int?

    func metrics(at time: Timestamp) -> [Metric] {
        func gauge(_ name: String, unit: String? = nil, _ help: String, _ value: Double?) -> Metric {
            Metric(
                name, .gauge, unit: unit, help: help, samples: value.map { [Metric.Sample($0)] } ?? [])
        }
        return [
            Metric(
                "acms_queue_messages", .gauge, help: "Messages in the queue, by where they are.",
                samples: PlaceCounts.places.map {
                    Metric.Sample(Double(counts[$0]), labels: ["place": $0.rawValue])
                }),
            gauge("acms_queue_bytes", unit: "bytes", "Bytes of the messages that wait.", Double(bytes)),
            gauge(
                "acms_queue_oldest_age_seconds", unit: "seconds",
                "Age of the oldest message that waits, by the time in its id; 0 when none does.",
                oldest.map { max(0, time.since($0) / .seconds(1)) } ?? 0),
            gauge(
                "acms_queue_limit_messages", "Most messages that may wait (spool.max-messages).",
                Double(limits.maxMessages)),
            gauge(
                "acms_queue_limit_bytes", unit: "bytes", "Most bytes that may wait (spool.max-bytes).",
                Double(limits.maxBytes)),
            gauge(
                "acms_spool_free_bytes", unit: "bytes", "Bytes that are free on the spool's file system.",
                freeBytes.map(Double.init)),
            gauge(
                "acms_spool_min_free_bytes", unit: "bytes",
                "Bytes of it that are left free (spool.min-free-bytes).", Double(limits.minFreeBytes)),
        ]
    }
}
