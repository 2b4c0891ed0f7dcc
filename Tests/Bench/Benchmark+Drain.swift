import CBench

extension Benchmark {
    /// Backlogs that wait when the worker is started.
    func drain() throws {
        for backlog in plan.backlogs {
            let name = Self.drainName(backlog)
            try drainWithAcms(name, backlog)
            for peer in peers { try drain(name, backlog, with: peer) }
        }
    }

    static func drainName(_ backlog: Int) -> String { "drain of \(Figure.short(Double(backlog)))" }

    /// Measures acms, from an empty table.
    func drainWithAcms(_ name: String, _ backlog: Int, slowSyncs: Int = 0) throws {
        try room.clear()
        // The backlog is made with a quick disk.
        let quick = try AcmsSite(room)
        try quick.makeTable()
        try quick.startFront()
        try fill(quick, backlog)
        try quick.stopFront()
        let site = slowSyncs == 0 ? quick : try AcmsSite(room, slowSyncs: slowSyncs, in: quick.directory)
        try site.startFront()
        note(try drain(site, name, backlog))
    }

    /// Has the front accept bookings by calls of a hundred.
    func fill(_ site: AcmsSite, _ bookings: Int, first: Int = 0) throws {
        let calls = try EncodedCalls(
            AcmsCalls.batch(), count: bookings / 100, first: first, bookingsPerCall: 100)
        let load = Load(socket: site.socket, connections: 8, seconds: 3600)
        let result = try LoadGenerator(load, calls, .varlink).run()
        guard result.bookings == bookings else {
            throw Failure("\(result.bookings) of \(bookings) were accepted")
        }
    }

    /// Starts the worker and measures from its first commit until all is committed; then counts the rows.
    func drain(_ site: AcmsSite, _ name: String, _ backlog: Int) throws -> Figure {
        let progress = try site.progress()
        let (before, rows) = (try progress.value(), try site.rows())
        try site.startWorker()
        guard let worker = site.worker else { throw Failure("there is no worker") }
        let (first, start, startSeconds) = try wait(for: "the first commit", seconds: 300) {
            try worker.checkThatItRuns()
            let value = try progress.value()
            return value > before ? (value, now(), try worker.processorSeconds()) : nil
        }
        // A thousandth of the time is exact enough, and looking more often would take from the worker.
        let end = try wait(for: "the end of the drain", seconds: 3600, interval: 2000) {
            try worker.checkThatItRuns()
            return try progress.value() >= before + backlog ? now() : nil
        }
        let counted = before + backlog - first
        var figure = Figure(name, "acms", Double(counted) / Double(end - start) * 1e9, "bookings/s")
        figure.serverMicroseconds = (try worker.processorSeconds() - startSeconds) * 1e6 / Double(counted)
        figure.peakMegabytes = Double(try worker.memory().most) / 1e6
        try site.stopWorker()
        let found = try site.rows() - rows
        guard found == backlog else {
            throw Failure("of \(backlog) accepted bookings \(found) are in the table")
        }
        return figure
    }

    /// Measures another queue, whose messages go to a table with acms' schema.
    func drain(_ name: String, _ backlog: Int, with type: any Peer.Type, slowSyncs: Int = 0) throws {
        try room.clear()
        let site = try AcmsSite(room)
        try site.makeTable()
        let peer = try type.init(room, slowSyncs: slowSyncs)
        let filling = Load(
            socket: peer.socket, connections: 64, depth: 8, seconds: 3600, greeting: { try peer.greet($0) })
        _ = try LoadGenerator(filling, EncodedCalls(try peer.format, count: backlog, first: 0), peer.shape)
            .run()
        let consumer = try peer.consumer()
        let table = try TableRows(
            site.tablePath, message: BookingTemplate(AcmsCalls.message), slowSyncs: slowSyncs)
        let (start, startSeconds) = (now(), try peer.process.processorSeconds() + Double(ownTime()) / 1e9)
        var done = 0
        while done < backlog {
            let messages = try consumer.next()
            guard !messages.isEmpty else { throw Failure("\(type.name) has lost \(backlog - done) messages") }
            try table.commit(messages)
            done += messages.count
        }
        _ = try consumer.next()
        var figure = Figure(name, type.name, Double(backlog) / Double(now() - start) * 1e9, "bookings/s")
        let used = try peer.process.processorSeconds() + Double(ownTime()) / 1e9 - startSeconds
        figure.serverMicroseconds = used * 1e6 / Double(backlog)
        figure.peakMegabytes = Double(try peer.process.memory().most) / 1e6
        note(figure)
        try peer.stop()
        let rows = try site.rows()
        guard rows == backlog else { throw Failure("of \(backlog) messages \(rows) are in the table") }
    }

    /// The least that committing can cost: transactions of ten rows and nothing else.
    func commits() throws {
        for isPlain in [false, true] {
            try room.clear()
            let site = try AcmsSite(room)
            let path = isPlain ? "\(site.directory)/plain.sqlite" : site.tablePath
            if !isPlain { try site.makeTable() }
            let message = try BookingTemplate(AcmsCalls.message)
            let table = try TableRows(path, message: message, schema: isPlain ? Self.plainSchema : nil)
            let messages = try EncodedCalls(AcmsCalls.single(), count: plan.calls(), first: 0)
            let (start, ownStart) = (now(), ownTime())
            let end = start + Int64(plan.seconds * 1e9)
            var done = 0
            while done + 10 <= messages.count, now() < end {
                try table.commit(
                    (done..<done + 10).map { UnsafePointer(messages.bytes + $0 * messages.length) })
                done += 10
            }
            var figure = Figure(
                isPlain ? Self.plainCommitsName : "transactions of 10 rows, acms' schema", "C",
                Double(done) / Double(now() - start) * 1e9, "bookings/s")
            figure.serverMicroseconds = Double(ownTime() - ownStart) / 1e3 / Double(done)
            figure.counterpart = Self.drainName(plan.backlogs.last ?? 0)
            note(figure)
        }
    }

    static let plainCommitsName = "transactions of 10 rows, one index"

    private static var plainSchema: String { String(cString: bench_plain_schema) }
}
