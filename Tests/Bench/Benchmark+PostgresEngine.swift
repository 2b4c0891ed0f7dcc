extension Benchmark {
    /// acms with a PostgreSQL database for its queue and its table, and the same work by a program without acms, in the
    /// same cluster and in turns.
    func postgres() throws {
        let cluster = try PostgresCluster(room)
        // The first to write would have to make the files of the log.
        _ = try plainAccept(cluster)
        try noteMedians(
            3,
            [
                { [self] in try plainAccept(cluster) },
                { [self] in try acceptIntoPostgres(cluster) },
                { [self] in try plainAccept(cluster, hasPrimaryKeyAlone: true) },
            ])
        for count in [1, 2, 4] {
            let name = Self.postgresDrainName(plan, count)
            try noteMedians(
                3,
                [
                    { [self] in
                        try PlainPostgres(cluster, room).drain(name, plan.postgresBacklog, clients: count)
                    },
                    { [self] in try drainWithinPostgres(cluster, name, workers: count) },
                ])
        }
        for system in ["acms", PlainPostgres.name] { noteGrowth(system) }
        try cluster.stop()
    }

    static let postgresAcceptName = "PostgreSQL engine, accept, 64 clients"

    static func postgresDrainName(_ plan: Plan, _ workers: Int) -> String {
        let backlog = Figure.short(Double(plan.postgresBacklog))
        return "PostgreSQL engine, drain of \(backlog), \(workers) worker\(workers == 1 ? "" : "s")"
    }

    /// How much quicker four are than one.
    private func noteGrowth(_ system: String) {
        let room = RoomFigures(figures: figures)
        guard let one = room.value(Self.postgresDrainName(plan, 1), system),
            let four = room.value(Self.postgresDrainName(plan, 4), system)
        else { return }
        note(Figure("PostgreSQL engine, drain, 4 workers against 1", system, four / one, "×"))
    }

    private func plainAccept(_ cluster: PostgresCluster, hasPrimaryKeyAlone: Bool = false) throws -> Figure {
        let plain = try PlainPostgres(cluster, room, hasPrimaryKeyAlone: hasPrimaryKeyAlone)
        return try plain.accept(Self.postgresAcceptName, clients: 64, seconds: plan.seconds)
    }

    private func acceptIntoPostgres(_ cluster: PostgresCluster) throws -> Figure {
        let database = try PostgresSite(cluster, room)
        let site = try database.makeSite()
        try site.startFront()
        try database.connection.settle()
        let before = try cluster.process.processorSeconds()
        let load = Load(socket: site.socket, connections: 64, seconds: plan.seconds)
        var (figure, bookings) = try accept(Self.postgresAcceptName, load, AcmsCalls.single(), at: site)
        let used = try cluster.process.processorSeconds() - before
        figure.serverMicroseconds = (figure.serverMicroseconds ?? 0) + used * 1e6 / Double(bookings)
        try database.check(bookings, in: "messages")
        try database.remove()
        return figure
    }

    /// Measures from the first commit until all is committed.
    private func drainWithinPostgres(_ cluster: PostgresCluster, _ name: String, workers: Int) throws
        -> Figure
    {
        let backlog = plan.postgresBacklog
        let database = try PostgresSite(cluster, room)
        let sites = try (0..<workers).map { _ in try database.makeSite() }
        try sites[0].startFront()
        try fill(sites[0], backlog)
        try sites[0].stopFront()
        try database.check(backlog, in: "messages")
        try database.connection.settle()
        for site in sites { try site.startWorker() }
        let (first, start, startSeconds) = try wait(for: "the first commit", seconds: 300) {
            let value = try database.committed()
            return value > 0 ? (value, now(), try database.processorSeconds()) : nil
        }
        // Looking more often would take from the workers.
        let end = try wait(for: "the end of the drain", seconds: 3600, interval: 20_000) {
            try database.committed() >= backlog ? now() : nil
        }
        let used = try database.processorSeconds() - startSeconds
        var figure = Figure(name, "acms", Double(backlog - first) / Double(end - start) * 1e9, "bookings/s")
        figure.serverMicroseconds = used * 1e6 / Double(backlog - first)
        figure.peakMegabytes = Double(try sites[0].worker?.memory().most ?? 0) / 1e6
        try database.check(backlog, in: "bookings")
        try database.check(0, in: "messages")
        try database.remove()
        return figure
    }
}
