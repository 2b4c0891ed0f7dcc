import Bookings

/// A look as JSON.
struct TopSummary: Encodable, Sendable {
    let on: Timestamp
    let acceptedPerSecond: Double?
    let refusedPerSecond: Double?
    let committedPerSecond: Double?
    let incoming: Int?
    let active: Int?
    let deferred: Int?
    let dead: Int?
    let oldestSeconds: Int?
    let paused: Bool?
    let tableAvailable: Bool?
    /// In seconds, of the last ten looks.
    let acceptDuration: LatencyWindow.Percentiles?
    let syncDuration: LatencyWindow.Percentiles?
    let commitDuration: LatencyWindow.Percentiles?
    let commitLatency: LatencyWindow.Percentiles?
}

extension TopState {
    var summary: TopSummary {
        TopSummary(
            on: sample.time, acceptedPerSecond: accepted.rates.last, refusedPerSecond: refused.rates.last,
            committedPerSecond: committed.rates.last, incoming: count("incoming", \.incoming),
            active: count("active", \.active), deferred: count("deferred", \.deferred),
            dead: count("dead", \.dead), oldestSeconds: oldest, paused: sample.attributes?.paused,
            tableAvailable: sample.attributes?.tableAvailable, acceptDuration: accept, syncDuration: sync,
            commitDuration: commit, commitLatency: latency)
    }
}
