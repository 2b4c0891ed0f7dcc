extension Benchmark {
    /// How much longer each sync takes, in microseconds.
    private static let delay = 2000

    static let slowDrainName = "drain, syncs 2 ms slower"

    /// A disk whose syncs take two milliseconds longer: what counts is how many bookings share one.
    func slowSyncs() throws {
        let load = Load(socket: "", connections: 64, seconds: plan.seconds)
        let (acceptName, drainName) = ("accept, 64 clients, syncs 2 ms slower", Self.slowDrainName)
        try acceptWithAcms(acceptName, load, try AcmsCalls.single(), slowSyncs: Self.delay)
        for peer in peers { try accept(acceptName, load, with: peer, slowSyncs: Self.delay) }
        try drainWithAcms(drainName, plan.slowBacklog, slowSyncs: Self.delay)
        for peer in peers { try drain(drainName, plan.slowBacklog, with: peer, slowSyncs: Self.delay) }
    }
}
