import Bookings

extension Acceptance {
    /// How the queue is now; the age of the oldest message as it was a second ago at most.
    func gauges() -> QueueGauges {
        try? refresh()
        if ContinuousClock.now >= oldest.until {
            oldest = (known.index.oldestWaiting, .now + .seconds(1))
        }
        return QueueGauges(
            counts: known.index.counts, bytes: known.index.waitingBytes,
            oldest: known.index.waitingMessages > 0 ? oldest.time : nil, limits: limits,
            freeBytes: try? producer.freeBytes())
    }
}
