extension Benchmark {
    /// Bookings from some clients, one call at a time each; the front alone.
    func accept() throws {
        for clients in [1, 8, 64, 1000] {
            let load = Load(socket: "", connections: clients, seconds: plan.seconds)
            try accept(Self.acceptName(clients), load, besides: clients == 1 ? [append] : [])
        }
    }

    static func acceptName(_ clients: Int) -> String {
        "accept, \(clients) client\(clients == 1 ? "" : "s")"
    }

    /// Batch calls.
    func batch() throws {
        for size in [10, 100] {
            let load = Load(socket: "", connections: 8, seconds: plan.seconds)
            try noteMedians(
                plan.rounds,
                [
                    { [self] in
                        try acceptWithAcms(
                            "accept, 8 clients, \(size) a call", load, AcmsCalls.batch(),
                            bookingsPerCall: size)
                    }
                ])
        }
    }

    /// Calls that don't wait for the answers to those before.
    func pipelined() throws {
        try accept(
            "accept, 8 clients, 32 calls in flight",
            Load(socket: "", connections: 8, depth: 32, seconds: plan.seconds))
    }

    /// Measures acms and the other queues.
    func accept(
        _ name: String, _ load: Load, slowSyncs: Int = 0, besides others: [() throws -> Figure] = []
    ) throws {
        let acms = { [self] in try acceptWithAcms(name, load, AcmsCalls.single(), slowSyncs: slowSyncs) }
        let peers = peers.map { peer in
            { [self] in try accept(name, load, with: peer, slowSyncs: slowSyncs) }
        }
        try noteMedians(plan.rounds, [acms] + peers + others)
    }

    private func acceptWithAcms(
        _ name: String, _ load: Load, _ format: CallFormat, bookingsPerCall: Int = 1, slowSyncs: Int = 0
    ) throws -> Figure {
        try room.clear()
        let site = try AcmsSite(room, slowSyncs: slowSyncs)
        try site.startFront()
        let figure = try accept(name, load, format, bookingsPerCall: bookingsPerCall, at: site).figure
        try site.stopFront()
        return figure
    }

    /// Measures acms at a site whose front runs.
    ///
    /// - Returns: the figure, and how many bookings were accepted.
    func accept(
        _ name: String, _ load: Load, _ format: CallFormat, bookingsPerCall: Int = 1, at site: AcmsSite
    ) throws -> (figure: Figure, bookings: Int) {
        var load = load
        load.socket = site.socket
        guard let front = site.front else { throw Failure("there is no front") }
        let calls = try EncodedCalls(
            format, count: plan.calls(bookingsPerCall), first: 0, bookingsPerCall: bookingsPerCall)
        return try accept(name, "acms", load, .varlink, process: front, calls)
    }

    /// Measures another queue.
    private func accept(_ name: String, _ load: Load, with type: any Peer.Type, slowSyncs: Int) throws
        -> Figure
    {
        try room.clear()
        let peer = try type.init(room, slowSyncs: slowSyncs)
        var load = load
        load.socket = peer.socket
        load.greeting = { try peer.greet($0) }
        let calls = try EncodedCalls(try peer.format, count: plan.calls(), first: 0)
        let figure = try accept(name, type.name, load, peer.shape, process: peer.process, calls).figure
        try peer.stop()
        return figure
    }

    private func accept(
        _ name: String, _ system: String, _ load: Load, _ shape: ReplyShape, process: ServerProcess,
        _ calls: EncodedCalls
    ) throws -> (figure: Figure, bookings: Int) {
        let before = try process.processorSeconds()
        let result = try LoadGenerator(load, calls, shape).run()
        let used = try process.processorSeconds() - before
        let peak = try process.memory().most
        return (Figure(name, system, result, serverSeconds: used, peakBytes: peak), result.bookings)
    }
}
