extension Benchmark {
    /// Backlogs that wait when the worker is started.
    func drain() throws {
        for backlog in plan.backlogs {
            // A large one takes so long that it needs no repetition, and is what the loops are compared with.
            let isLargest = backlog == plan.backlogs.last
            let loops = [true, false].map { isPlain in
                { [self] in try commits(backlog, isPlain: isPlain) }
            }
            try drain(
                Self.drainName(backlog), backlog, rounds: backlog > 50_000 ? 1 : plan.rounds,
                besides: isLargest ? loops : [])
        }
    }

    /// Measures acms and the other queues.
    func drain(
        _ name: String, _ backlog: Int, rounds: Int, slowSyncs: Int = 0,
        besides others: [() throws -> Figure] = []
    ) throws {
        let acms = { [self] in try drainWithAcms(name, backlog, slowSyncs: slowSyncs) }
        let peers = peers.map { peer in
            { [self] in try drain(name, backlog, with: peer, slowSyncs: slowSyncs) }
        }
        try noteMedians(rounds, [acms] + peers + others)
    }

    static func drainName(_ backlog: Int) -> String { "drain of \(Figure.short(Double(backlog)))" }

    /// Measures acms, from an empty table.
    func drainWithAcms(_ name: String, _ backlog: Int, slowSyncs: Int = 0) throws -> Figure {
        try room.clear()
        // The backlog is made with a quick disk.
        let quick = try AcmsSite(room)
        try quick.makeTable()
        try quick.startFront()
        try fill(quick, backlog)
        try quick.stopFront()
        let site = slowSyncs == 0 ? quick : try AcmsSite(room, slowSyncs: slowSyncs, in: quick.directory)
        try site.startFront()
        let figure = try drain(site, name, backlog)
        try site.stopFront()
        return figure
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
    private func drain(_ name: String, _ backlog: Int, with type: any Peer.Type, slowSyncs: Int) throws
        -> Figure
    {
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
        try peer.stop()
        let rows = try site.rows()
        guard rows == backlog else { throw Failure("of \(backlog) messages \(rows) are in the table") }
        return figure
    }
}
