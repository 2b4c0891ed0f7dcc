extension Benchmark {
    /// How much longer each sync takes, in microseconds.
    private static let delay = 2000

    static let slowDrainName = "drain, syncs 2 ms slower"

    /// A disk whose syncs take two milliseconds longer: what counts is how many bookings share one.
    func slowSyncs() throws {
        let load = Load(socket: "", connections: 64, seconds: plan.seconds)
        try accept("accept, 64 clients, syncs 2 ms slower", load, slowSyncs: Self.delay)
        try drain(Self.slowDrainName, plan.slowBacklog, rounds: 1, slowSyncs: Self.delay)
    }
}
