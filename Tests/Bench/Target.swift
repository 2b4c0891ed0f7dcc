/// What a figure is to reach, so that the table says whether it does.
struct Target {
    /// What is promised, in words.
    let promise: String
    /// The figure of a room, if it was measured.
    let value: (RoomFigures) -> Double?
    let unit: String
    let limit: Limit

    enum Limit {
        case atLeast(Double)
        case atMost(Double)
    }

    /// The targets for runs of a plan.
    static func all(_ plan: Plan) -> [Target] {
        let (large, rows) = (Benchmark.largeBacklogName(plan), Benchmark.largeTableName(plan))
        let backlog = Benchmark.drainName(plan.backlogs.last ?? 0)
        let one = "call until COMMITTED, one at a time"
        let many = "call until COMMITTED, at 10,000 bookings/s"
        let slowAccept = "accept, 64 clients, syncs 2 ms slower"
        let atOnce = "accept and commit at once, 64 clients"
        let imported = Benchmark.importName
        let crowd = Benchmark.acceptName(64)
        let postgres = [Benchmark.postgresAcceptName] + [1, 4].map { Benchmark.postgresDrainName(plan, $0) }
        return [
            Target("\(crowd), against PostgreSQL", "×", .atLeast(1.5)) {
                $0.ratio(crowd, crowd, "PostgreSQL")
            },
            Target("\(crowd), against Redis", "×", .atLeast(0.6)) { $0.ratio(crowd, crowd, "Redis") },
            Target("\(Benchmark.acceptName(1)), against a C loop", "×", .atLeast(0.5)) {
                $0.ratio(Benchmark.acceptName(1), Benchmark.appendName, "C")
            },
            Target("accept, 8 clients, 100 a call", "bookings/s", .atLeast(150_000)) {
                $0["accept, 8 clients, 100 a call"]
            },
            Target("\(imported), against calls with keys", "×", .atLeast(0.8)) {
                $0.ratio(imported, imported, "calls of 500")
            },
            Target("\(slowAccept), against Redis", "×", .atLeast(0.9)) {
                $0.ratio(slowAccept, slowAccept, "Redis")
            },
            Target(atOnce, "bookings/s", .atLeast(25_000)) { $0[atOnce] },
            Target("\(one), p99", "ms", .atMost(5)) { $0.p99(one) },
            Target("\(many), p99", "ms", .atMost(20)) { $0.p99(many) },
            Target("front at rest, memory", "MB", .atMost(25)) {
                $0["front at rest after 2,000 bookings, memory"]
            },
            Target("\(backlog), against Redis", "×", .atLeast(1)) { $0.ratio(backlog, backlog, "Redis") },
            Target("\(backlog)", "bookings/s", .atLeast(50_000)) { $0[backlog] },
            Target("\(backlog), against a C loop with one index", "×", .atLeast(0.55)) {
                $0.ratio(backlog, Benchmark.plainCommitsName, "C")
            },
            Target("drain, syncs 2 ms slower", "bookings/s", .atLeast(20_000)) {
                $0[Benchmark.slowDrainName]
            },
            Target("\(large): front started, until it has answered", "s", .atMost(3)) {
                $0["\(large), front started, until it has answered"]
            },
            Target("\(large): front's memory", "MB", .atMost(200)) { $0["\(large), front's memory"] },
            Target("\(large): worker's memory", "MB", .atMost(60)) { $0["\(large), worker's memory"] },
            Target("\(large): its drain, against that of a small one", "×", .atLeast(0.8)) {
                $0.ratio(Benchmark.drainName(plan.largeBacklog), Benchmark.drainName(plan.backlogs[0]))
            },
            Target("\(rows): drain, against an empty table", "×", .atLeast(0.7)) {
                $0.ratio("drain, \(rows)", "drain, empty table")
            },
            Target("\(rows): accept, against an empty table", "×", .atLeast(0.7)) {
                $0.ratio("accept, 64 clients, \(rows)", "accept, 64 clients, empty table")
            },
        ]
            + postgres.map { name in
                Target("\(name), against pgbench", "×", .atLeast(0.8)) {
                    $0.ratio(name, name, PlainPostgres.name)
                }
            }
    }

    private init(
        _ promise: String, _ unit: String, _ limit: Limit, _ value: @escaping (RoomFigures) -> Double?
    ) {
        self.promise = promise
        self.value = value
        self.unit = unit
        self.limit = limit
    }
}

/// What became of a target in a room.
struct TargetOutcome: Codable {
    let place: String
    let promise: String
    let limit: String
    let value: Double
    let unit: String
    let isMet: Bool

    /// Returns nil if it was not measured.
    init?(_ target: Target, _ place: String, _ figures: [Figure]) {
        guard let value = target.value(RoomFigures(figures: figures.filter { $0.place == place })) else {
            return nil
        }
        (self.place, self.value) = (place, value)
        (promise, unit) = (target.promise, target.unit)
        switch target.limit {
        case .atLeast(let least): (limit, isMet) = ("at least \(Figure.text(least, unit))", value >= least)
        case .atMost(let most): (limit, isMet) = ("at most \(Figure.text(most, unit))", value <= most)
        }
    }
}

/// The figures of one room.
struct RoomFigures {
    let figures: [Figure]

    /// A figure of acms.
    subscript(name: String) -> Double? { value(name, "acms") }

    /// The 99th percentile of a latency, in milliseconds.
    func p99(_ name: String) -> Double? {
        figures.first { $0.name == name && $0.system == "acms" }?.latency.map { $0.p99 / 1000 }
    }

    /// A figure of acms as a multiple of another one, or of another system's.
    func ratio(_ name: String, _ other: String, _ system: String = "acms") -> Double? {
        guard let own = self[name], let measure = value(other, system), measure > 0 else { return nil }
        return own / measure
    }

    func value(_ name: String, _ system: String) -> Double? {
        figures.first { $0.name == name && $0.system == system }?.value
    }
}
