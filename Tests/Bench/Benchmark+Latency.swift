import Foundation

extension Benchmark {
    /// From a call to its answer and to the commit of its booking, both daemons being warm.
    func latency() throws {
        try latency("one at a time", Load(socket: "", connections: 1, seconds: plan.seconds, awaiting: 1))
        try latency(
            "at 10,000 bookings/s",
            Load(socket: "", connections: 80, seconds: plan.seconds, pace: 10_000, awaiting: 16))
    }

    private func latency(_ name: String, _ load: Load) throws {
        try room.clear()
        let site = try AcmsSite(room)
        try site.startFront()
        try site.startWorker()
        _ = try site.progress()
        var load = load
        load.socket = site.socket
        // The first calls make programs and caches warm.
        var warming = load
        warming.seconds = 0.5
        let warmed = try LoadGenerator(
            warming, EncodedCalls(AcmsCalls.single(), count: 10_000, first: 0), .varlink
        ).run()
        let calls = try EncodedCalls(AcmsCalls.single(), count: plan.calls(perSecond: 20_000), first: 10_000)
        let result = try LoadGenerator(load, calls, .varlink).run()
        for (what, histogram) in [("answered", result.latency), ("COMMITTED", result.commitLatency)] {
            var figure = Figure(
                "call until \(what), \(name)", "acms", Double(histogram.quantile(0.5)) / 1e6, "ms")
            figure.latency = Figure.Latency(histogram)
            note(figure)
        }
        try waitUntilCommitted(warmed.bookings + result.bookings, site)
    }

    /// From the start of a process until it has done its first work.
    func cold() throws {
        let site = try AcmsSite(room)
        try site.makeTable()
        var front = Histogram()
        var worker = Histogram()
        for number in 0..<plan.coldStarts {
            front.add(Int64(try site.startFront { try Self.book(number, $0) } * 1e9))
            try site.stopFront()
            let progress = try site.progress()
            let start = now()
            try site.startWorker()
            try wait(for: "the first commit", seconds: 60) {
                try site.worker?.checkThatItRuns()
                return try progress.value() > number ? () : nil
            }
            worker.add(now() - start)
            try site.stopWorker()
        }
        for (name, histogram) in [
            ("front started, until it has answered", front),
            ("worker started, until it has committed", worker),
        ] {
            var figure = Figure(name, "acms", Double(histogram.quantile(0.5)) / 1e6, "ms")
            figure.remark = "median of \(histogram.count)"
            note(figure)
        }
        let rows = try site.rows()
        guard rows == plan.coldStarts else { throw Failure("\(rows) rows of \(plan.coldStarts) bookings") }
    }

    /// Books on a connection.
    static func book(_ number: Int, _ socket: Socket) throws {
        let call = try EncodedCalls(AcmsCalls.single(), count: 1, first: number)
        try socket.write(Array(UnsafeBufferPointer(start: call.bytes, count: call.length)))
        let reply = String(decoding: try socket.read(to: 0), as: UTF8.self)
        try socket.forget()
        guard !reply.contains("\"error\"") else { throw Failure("a booking was answered with \(reply)") }
    }

    /// What the front costs when nobody wants anything of it.
    func idle() throws {
        let site = try AcmsSite(room)
        try site.startFront()
        try site.startWorker()
        let load = Load(socket: site.socket, connections: 8, seconds: 3600)
        _ = try LoadGenerator(load, EncodedCalls(AcmsCalls.single(), count: 2000, first: 0), .varlink).run()
        let progress = try site.progress()
        try wait(for: "the end of the queue", seconds: 60) { try progress.value() == 2000 ? () : nil }
        try site.stopWorker()
        guard let front = site.front else { return }
        Thread.sleep(forTimeInterval: 5)
        note(
            Figure(
                "front at rest after 2,000 bookings, memory", "acms", Double(try front.memory().now) / 1e6,
                "MB"))
        let before = try front.contextSwitches()
        Thread.sleep(forTimeInterval: plan.restSeconds)
        let switches = try front.contextSwitches().reduce(0) { $0 + $1.value - (before[$1.key] ?? 0) }
        note(Figure("front at rest, context switches", "acms", Double(switches) / plan.restSeconds, "/s"))
    }
}
