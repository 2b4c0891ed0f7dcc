import Bookings
import Daemon

extension BookingsService {
    /// How the front, the queue and the table are.
    func metrics() async -> MetricsReply {
        let gauges = await acceptance.gauges()
        return MetricsReply(
            metrics: process.metrics(connections: connections()) + report.metrics.metrics
                + gauges.metrics(at: .now()) + report.health + (await enquiry.metrics()))
    }
}
