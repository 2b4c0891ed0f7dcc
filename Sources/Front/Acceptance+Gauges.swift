import Bookings

extension Acceptance {
    /// How the queue is now; the age of the oldest message as it was a second ago at most.
    func gauges() -> QueueGauges {
        try? refresh()
        if ContinuousClock.now >= oldest.until {
            oldest = (known.index.oldestWaiting, .now + .seconds(1))
        }
        var counts = known.index.counts
        counts.add(sharedCounts)
        if let oldest = [oldest.time, sharedCounts.oldest].compactMap(\.self).min(), sharedWaiting > 0 {
            return QueueGauges(
                counts: counts, bytes: known.index.waitingBytes, oldest: oldest, limits: limits,
                freeBytes: try? producer.freeBytes())
        }
        return QueueGauges(
            counts: counts, bytes: known.index.waitingBytes,
            oldest: known.index.waitingMessages > 0 ? oldest.time : nil, limits: limits,
            freeBytes: try? producer.freeBytes())
    }
}
