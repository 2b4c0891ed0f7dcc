import Bookings
import Daemon
import Synchronization

/// What the worker counts and measures since its start.
final class WorkerMetrics: Sendable {
    private struct Counts {
        var deferred = 0
        var dead: [FailureClass: Int] = [:]
        var redriven = 0
        var deleted = 0
        var decided: [BookingStatus: Int] = [:]
    }

    /// One transaction of the table.
    let commitDuration = DurationHistogram()
    /// From a booking's acceptance until it is in the table.
    private let commitLatency = DurationHistogram()
    private let counts = Mutex(Counts())

    func committed(_ messages: [Message], at time: Timestamp) {
        // Those of a group were mostly accepted together.
        var ages: [Int64: Int] = [:]
        for message in messages {
            ages[time.milliseconds - message.acceptedOn.milliseconds, default: 0] += 1
        }
        commitLatency.record(ages.lazy.map { (duration: .milliseconds($0.key), count: $0.value) })
    }

    func deferred() { counts.withLock { $0.deferred += 1 } }

    func dead(_ failure: FailureClass) { counts.withLock { $0.dead[failure, default: 0] += 1 } }

    func redriven(_ count: Int) { counts.withLock { $0.redriven += count } }

    func deleted(_ count: Int) { counts.withLock { $0.deleted += count } }

    func decided(_ status: BookingStatus, _ count: Int = 1) {
        counts.withLock { $0.decided[status, default: 0] += count }
    }

    var metrics: [Metric] {
        let counts = counts.withLock { $0 }
        func counter(_ name: String, _ help: String, _ samples: [Metric.Sample]) -> Metric {
            Metric(name, .counter, help: help, samples: samples)
        }
        return [
            Metric(
                "acms_commit_duration_seconds", .histogram, unit: "seconds",
                help: "Committing a batch to the table, for each transaction.",
                samples: [commitDuration.sample()]),
            Metric(
                "acms_commit_latency_seconds", .histogram, unit: "seconds",
                help: "From a booking's acceptance until it was committed, in whole milliseconds.",
                samples: [commitLatency.sample()]),
            counter(
                "acms_messages_deferred", "Tries that failed and left their message to another.",
                [Metric.Sample(Double(counts.deferred))]),
            counter(
                "acms_dead_letters_set_aside", "Messages that became dead letters, by class.",
                FailureClass.allCases.map {
                    Metric.Sample(Double(counts.dead[$0] ?? 0), labels: ["class": $0.rawValue])
                }),
            counter(
                "acms_dead_letters_redriven", "Dead letters that were put back into the queue.",
                [Metric.Sample(Double(counts.redriven))]),
            counter(
                "acms_dead_letters_deleted", "Dead letters that were deleted.",
                [Metric.Sample(Double(counts.deleted))]),
            counter(
                "acms_bookings_decided", "Bookings that were approved or cancelled.",
                [BookingStatus.approved, .cancelled].map {
                    Metric.Sample(Double(counts.decided[$0] ?? 0), labels: ["status": $0.rawValue])
                }),
        ]
    }
}
