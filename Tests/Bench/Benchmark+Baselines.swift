import CBench

/// The least that the disk and SQLite demand, in loops of C that do nothing else.
extension Benchmark {
    static let appendName = "append and fdatasync, one at a time"

    static let plainCommitsName = "transactions of 10 rows, one index"

    /// One durable message after the other: bytes are appended to a file, which is synced.
    func append() throws -> Figure {
        try room.clear()
        let message = try BookingTemplate(AcmsCalls.message).bytes
        let durations = UnsafeMutablePointer<Int64>.allocate(capacity: plan.calls())
        defer { durations.deallocate() }
        let path = try room.makeDirectory("append") + "/file"
        let ownStart = ownTime()
        let count = bench_append(
            path, message, message.count, Int64(plan.seconds * 1e9), durations, plan.calls())
        guard count >= 0 else { throw Failure.system("append to", path) }
        let used = Double(ownTime() - ownStart) / 1e9
        var result = LoadResult()
        result.bookings = count
        for number in 0..<count {
            result.latency.add(durations[number])
            result.seconds += Double(durations[number]) / 1e9
        }
        var figure = Figure(Self.appendName, "C", result, serverSeconds: used)
        figure.generatorMicroseconds = nil
        figure.counterpart = Self.acceptName(1)
        return figure
    }

    /// A backlog's rows, committed ten at a time.
    ///
    /// - Parameter isPlain: whether the table has but one index, instead of acms' schema.
    func commits(_ backlog: Int, isPlain: Bool) throws -> Figure {
        try room.clear()
        let site = try AcmsSite(room)
        let path = isPlain ? "\(site.directory)/plain.sqlite" : site.tablePath
        if !isPlain { try site.makeTable() }
        let table = try TableRows(
            path, message: BookingTemplate(AcmsCalls.message),
            schema: isPlain ? String(cString: bench_plain_schema) : nil)
        let messages = try EncodedCalls(AcmsCalls.single(), count: backlog, first: 0)
        let (start, ownStart) = (now(), ownTime())
        for first in stride(from: 0, to: backlog, by: 10) {
            let batch = first..<min(first + 10, backlog)
            try table.commit(batch.map { UnsafePointer(messages.bytes + $0 * messages.length) })
        }
        var figure = Figure(
            isPlain ? Self.plainCommitsName : "transactions of 10 rows, acms' schema", "C",
            Double(backlog) / Double(now() - start) * 1e9, "bookings/s")
        figure.serverMicroseconds = Double(ownTime() - ownStart) / 1e3 / Double(backlog)
        figure.counterpart = Self.drainName(backlog)
        return figure
    }
}
