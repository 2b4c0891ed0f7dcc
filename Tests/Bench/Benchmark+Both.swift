extension Benchmark {
    /// Accepting and committing at the same time: bookings are offered at one rate after the other, until the queue
    /// grows.
    func both() throws {
        var best = Figure("accept and commit at once, 64 clients", "acms", 0, "bookings/s")
        var remarks: [String] = []
        for rate in plan.bothRates {
            let run = try both(rate)
            remarks.append(
                "\(Figure.short(rate))/s offered: \(Figure.short(run.load.rate)) accepted, "
                    + "queue \(run.slope < 0 ? "" : "+")\(Figure.short(run.slope))/s")
            say("  " + (remarks.last ?? ""))
            // A hundredth is less than what such a short time can tell.
            guard run.load.rate > rate * 0.98, run.slope < rate * 0.01 else { break }
            best = Figure(best.name, best.system, rate, best.unit)
            best.latency = Figure.Latency(run.load.latency)
            best.serverMicroseconds = run.serverSeconds * 1e6 / Double(run.load.bookings)
            best.generatorMicroseconds = run.load.ownSeconds * 1e6 / Double(run.load.bookings)
        }
        best.remark = remarks.joined(separator: "; ")
        note(best)
    }

    private func both(_ rate: Double) throws -> (load: LoadResult, slope: Double, serverSeconds: Double) {
        try room.clear()
        let site = try AcmsSite(room)
        try site.startFront()
        try site.startWorker()
        let progress = try site.progress()
        guard let front = site.front, let worker = site.worker else { throw Failure("a daemon is missing") }
        var samples: [(seconds: Double, waiting: Double)] = []
        var load = Load(socket: site.socket, connections: 64, seconds: plan.bothSeconds, pace: rate)
        load.everySecond = { seconds, accepted in
            samples.append((seconds, Double(accepted - (try progress.value()))))
        }
        let calls = try EncodedCalls(AcmsCalls.single(), count: Int(rate * plan.bothSeconds), first: 0)
        let before = try front.processorSeconds() + worker.processorSeconds()
        let result = try LoadGenerator(load, calls, .varlink).run()
        let used = try front.processorSeconds() + worker.processorSeconds() - before
        try waitUntilCommitted(result.bookings, site)
        // What the queue does at first says nothing about how it goes on.
        return (result, Self.slope(Array(samples.dropFirst(samples.count / 4))), used)
    }

    /// Waits until so many bookings are committed, ends the daemons and counts the rows.
    func waitUntilCommitted(_ bookings: Int, _ site: AcmsSite) throws {
        let progress = try site.progress()
        try wait(for: "the end of the queue", seconds: 3600, interval: 5000) {
            try site.worker?.checkThatItRuns()
            return try progress.value() >= bookings ? () : nil
        }
        try site.stopFront()
        try site.stopWorker()
        let rows = try site.rows()
        guard rows == bookings else {
            throw Failure("of \(bookings) accepted bookings \(rows) are in the table")
        }
    }

    /// By how much a line through the samples rises each second.
    private static func slope(_ samples: [(seconds: Double, waiting: Double)]) -> Double {
        let count = Double(samples.count)
        let seconds = samples.reduce(0) { $0 + $1.seconds } / count
        let waiting = samples.reduce(0) { $0 + $1.waiting } / count
        let covariance = samples.reduce(0) { $0 + ($1.seconds - seconds) * ($1.waiting - waiting) }
        let variance = samples.reduce(0) { $0 + ($1.seconds - seconds) * ($1.seconds - seconds) }
        return variance > 0 ? covariance / variance : 0
    }
}
