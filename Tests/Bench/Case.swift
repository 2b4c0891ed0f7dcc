import ArgumentParser

/// What can be measured, in this order.
enum Case: String, CaseIterable, ExpressibleByArgument {
    case accept, batch, pipelined, drain, both, latency, cold, backlog, rows
    case importing = "import"
    case slowSyncs = "slow-syncs"
    case postgres, idle

    /// Whether it is measured only with the other queues, since it needs one of them.
    var needsPeers: Bool { self == .postgres }

    /// Measures it.
    func run(_ benchmark: Benchmark) throws {
        switch self {
        case .accept: try benchmark.accept()
        case .batch: try benchmark.batch()
        case .pipelined: try benchmark.pipelined()
        case .drain: try benchmark.drain()
        case .both: try benchmark.both()
        case .latency: try benchmark.latency()
        case .cold: try benchmark.cold()
        case .backlog: try benchmark.backlog()
        case .rows: try benchmark.rows()
        case .importing: try benchmark.importing()
        case .slowSyncs: try benchmark.slowSyncs()
        case .postgres: try benchmark.postgres()
        case .idle: try benchmark.idle()
        }
    }
}
