import CBench
import Glibc

extension Benchmark {
    /// Bookings from some clients, one call at a time each; the front alone.
    func accept() throws {
        for clients in [1, 8, 64, 1000] {
            let name = Self.acceptName(clients)
            let load = Load(socket: "", connections: clients, seconds: plan.seconds)
            try acceptWithAcms(name, load, try AcmsCalls.single())
            for peer in peers { try accept(name, load, with: peer) }
        }
    }

    static func acceptName(_ clients: Int) -> String {
        "accept, \(clients) client\(clients == 1 ? "" : "s")"
    }

    /// Batch calls.
    func batch() throws {
        for size in [10, 100] {
            try acceptWithAcms(
                "accept, 8 clients, \(size) a call", Load(socket: "", connections: 8, seconds: plan.seconds),
                try AcmsCalls.batch(), bookingsPerCall: size)
        }
    }

    /// Calls that don't wait for the answers to those before.
    func pipelined() throws {
        let name = "accept, 8 clients, 32 calls in flight"
        let load = Load(socket: "", connections: 8, depth: 32, seconds: plan.seconds)
        try acceptWithAcms(name, load, try AcmsCalls.single())
        for peer in peers { try accept(name, load, with: peer) }
    }

    /// The least that one durable message can cost: bytes are appended to a file, which is synced.
    func append() throws {
        let message = try BookingTemplate(AcmsCalls.message).bytes
        let durations = UnsafeMutablePointer<Int64>.allocate(capacity: plan.calls())
        defer { durations.deallocate() }
        let path = try room.makeDirectory("append") + "/file"
        let ownStart = ownTime()
        let count = bench_append(
            path, message, message.count, Int64(plan.seconds * 1e9), durations, plan.calls())
        guard count >= 0 else { throw Failure.system("append to", path) }
        var result = LoadResult()
        result.bookings = count
        for number in 0..<count {
            result.latency.add(durations[number])
            result.seconds += Double(durations[number]) / 1e9
        }
        var figure = Figure(
            "append and fdatasync, one at a time", "C", result,
            serverSeconds: Double(ownTime() - ownStart) / 1e9)
        figure.counterpart = Self.acceptName(1)
        note(figure)
    }

    /// Measures acms.
    func acceptWithAcms(
        _ name: String, _ load: Load, _ format: CallFormat, bookingsPerCall: Int = 1, slowSyncs: Int = 0
    ) throws {
        try room.clear()
        let site = try AcmsSite(room, slowSyncs: slowSyncs)
        try site.startFront()
        _ = try accept(name, load, format, bookingsPerCall: bookingsPerCall, at: site)
        try site.stopFront()
    }

    /// Measures acms at a site whose front runs.
    ///
    /// - Returns: how many bookings were accepted.
    func accept(
        _ name: String, _ load: Load, _ format: CallFormat, bookingsPerCall: Int = 1, at site: AcmsSite
    ) throws -> Int {
        var load = load
        load.socket = site.socket
        guard let front = site.front else { throw Failure("there is no front") }
        return try accept(
            name, "acms", load, .varlink, process: front,
            try EncodedCalls(
                format, count: plan.calls(bookingsPerCall), first: 0, bookingsPerCall: bookingsPerCall))
    }

    /// Measures another queue.
    func accept(_ name: String, _ load: Load, with type: any Peer.Type, slowSyncs: Int = 0) throws {
        try room.clear()
        let peer = try type.init(room, slowSyncs: slowSyncs)
        var load = load
        load.socket = peer.socket
        load.greeting = { try peer.greet($0) }
        _ = try accept(
            name, type.name, load, peer.shape, process: peer.process,
            try EncodedCalls(try peer.format, count: plan.calls(), first: 0))
        try peer.stop()
    }

    private func accept(
        _ name: String, _ system: String, _ load: Load, _ shape: ReplyShape, process: ServerProcess,
        _ calls: EncodedCalls
    ) throws -> Int {
        let before = try process.processorSeconds()
        let result = try LoadGenerator(load, calls, shape).run()
        let used = try process.processorSeconds() - before
        note(Figure(name, system, result, serverSeconds: used, peakBytes: try process.memory().most))
        return result.bookings
    }
}
