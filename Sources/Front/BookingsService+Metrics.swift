import Bookings
import Daemon

extension BookingsService {
    /// How the front, the queue and the table are.
    func metrics() async -> MetricsReply {
        let gauges = await acceptance.gauges()
        let metrics = await enquiry.metrics { [process, connections, report] in
            process.metrics(connections: connections()) + report.metrics.metrics
                + gauges.metrics(at: .now()) + report.health
        }
        return MetricsReply(metrics: metrics + [await letters.metric()])
    }
}
