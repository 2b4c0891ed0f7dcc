import Bookings
import Daemon
import Synchronization
import Varlink

/// What the front counts and measures since its start.
final class FrontMetrics: Sendable {
    private struct Counts {
        var accepted = 0
        /// By the short names of errors: all that there are from the first, so that their first rise is seen.
        var refused: [String: Int] = Dictionary(
            uniqueKeysWithValues: [
                BookingsInterface.InvalidInput.errorName, BookingsInterface.PendingBookingExists.errorName,
                BookingsInterface.ApartmentNotAvailable.errorName,
                BookingsInterface.IdempotencyKeyReused.errorName, BookingsInterface.QueueFull.errorName,
                BookingsInterface.StorageUnavailable.errorName, ServiceError.PermissionDenied.errorName,
            ].map { (FrontMetrics.shortName($0), 0) })
    }

    /// From a call's arrival until its bookings are durable, or refused.
    let acceptDuration = DurationHistogram()
    /// Making one group durable.
    let syncDuration = DurationHistogram()
    private let counts = Mutex(Counts())

    func accepted(_ count: Int) { counts.withLock { $0.accepted += count } }

    /// Counts refusals by the short names of their errors.
    func refused(_ refusals: some Sequence<ErrorReply>) {
        counts.withLock { counts in
            for refusal in refusals { counts.refused[Self.shortName(refusal.name), default: 0] += 1 }
        }
    }

    fileprivate static func shortName(_ name: String) -> String {
        String(name[(name.lastIndex(of: ".").map(name.index(after:)) ?? name.startIndex)...])
    }

    var metrics: [Metric] {
        let counts = counts.withLock { $0 }
        return [
            Metric(
                "acms_bookings_accepted", .counter, help: "Bookings that were accepted.",
                samples: [Metric.Sample(Double(counts.accepted))]),
            Metric(
                "acms_bookings_refused", .counter, help: "Bookings that were refused, by error.",
                samples: counts.refused.sorted { $0.key < $1.key }.map {
                    Metric.Sample(Double($0.value), labels: ["error": $0.key])
                }),
            Metric(
                "acms_accept_duration_seconds", .histogram, unit: "seconds",
                help: "From a call's arrival until its bookings are durable or refused, for each call.",
                samples: [acceptDuration.sample()]),
            Metric(
                "acms_sync_duration_seconds", .histogram, unit: "seconds",
                help: "Making bookings that are accepted together durable, for each group.",
                samples: [syncDuration.sample(labels: ["daemon": "front"])]),
        ]
    }
}
