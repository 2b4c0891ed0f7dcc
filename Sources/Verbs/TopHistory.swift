import Bookings

/// The last looks at both daemons, and what follows from them. Pure.
struct TopHistory: Sendable {
    /// How many rates are kept for the sparklines.
    static let length = 120

    /// How a counter rises.
    struct Rate: Sendable {
        private var last: (value: Double, instant: ContinuousClock.Instant)?
        /// Per second, oldest first.
        private(set) var rates: [Double] = []
        private(set) var total: Double?

        /// - Parameter value: nil where it isn't known.
        mutating func add(_ value: Double?, at instant: ContinuousClock.Instant) {
            defer { last = value.map { ($0, instant) } }
            total = value ?? total
            guard let value, let last, instant > last.instant else { return }
            // A counter that has fallen began anew with its daemon.
            let rise = value >= last.value ? value - last.value : value
            rates.append(rise / ((instant - last.instant) / .seconds(1)))
            if rates.count > TopHistory.length { rates.removeFirst() }
        }
    }

    private var accepted = Rate()
    private var refused = Rate()
    private var committed = Rate()
    private var frontTime = Rate()
    private var workerTime = Rate()
    private var accept = LatencyWindow()
    private var sync = LatencyWindow()
    private var commit = LatencyWindow()
    private var latency = LatencyWindow()
    private var last: TopSample?
    private var lettersSince = ContinuousClock.now

    /// Whether dead letters must be counted anew: their number is another, or it is ten seconds ago.
    func wantsLetters(_ sample: TopSample) -> Bool {
        guard let dead = sample.attributes?.dead, dead > 0 else { return false }
        guard let last, last.letters != nil else { return true }
        return last.attributes?.dead != dead || sample.instant - lettersSince > .seconds(10)
    }

    /// Adds a look. Dead letters that were not counted anew are those of the last one.
    mutating func add(_ sample: TopSample) {
        var sample = sample
        if sample.letters != nil {
            lettersSince = sample.instant
        } else if sample.attributes?.dead ?? 0 > 0 {
            sample.letters = last?.letters
        }
        let front = try? sample.front.get()
        let worker = try? sample.worker.get()
        let instant = sample.instant
        accepted.add(front?.value("acms_bookings_accepted"), at: instant)
        refused.add(front?.total("acms_bookings_refused"), at: instant)
        committed.add(
            front?.value("acms_bookings_committed") ?? sample.attributes.map { Double($0.committedTotal) },
            at: instant)
        frontTime.add(front?.value("acms_process_cpu_seconds"), at: instant)
        workerTime.add(worker?.value("acms_process_cpu_seconds"), at: instant)
        if let front {
            accept.add(front.sample("acms_accept_duration_seconds"))
            sync.add(front.sample("acms_sync_duration_seconds"))
        }
        if let worker {
            commit.add(worker.sample("acms_commit_duration_seconds"))
            latency.add(worker.sample("acms_commit_latency_seconds"))
        }
        last = sample
    }

    /// What there is to show; nil before the first look.
    var state: TopState? {
        guard let last else { return nil }
        return TopState(
            sample: last, accepted: accepted, refused: refused, committed: committed,
            frontLoad: frontTime.rates.last, workerLoad: workerTime.rates.last, accept: accept.percentiles,
            sync: sync.percentiles, commit: commit.percentiles, latency: latency.percentiles)
    }
}

/// All that one frame shows.
struct TopState: Sendable {
    let sample: TopSample
    let accepted: TopHistory.Rate
    let refused: TopHistory.Rate
    let committed: TopHistory.Rate
    /// Processors in use.
    let frontLoad: Double?
    let workerLoad: Double?
    let accept: LatencyWindow.Percentiles?
    let sync: LatencyWindow.Percentiles?
    let commit: LatencyWindow.Percentiles?
    let latency: LatencyWindow.Percentiles?

    var front: [Metric]? { try? sample.front.get() }
    var worker: [Metric]? { try? sample.worker.get() }

    /// Messages in a place, as far as either daemon tells.
    func count(_ place: String, _ attribute: KeyPath<QueueInterface.Attributes, Int>) -> Int? {
        sample.attributes.map { $0[keyPath: attribute] }
            ?? front?.value("acms_queue_messages", ["place": place])?.whole
    }

    /// Seconds; nil when none waits.
    var oldest: Int? {
        if let attributes = sample.attributes { return attributes.oldestSeconds }
        return front?.value("acms_queue_oldest_age_seconds").flatMap { $0 > 0 ? $0.whole : nil }
    }
}
