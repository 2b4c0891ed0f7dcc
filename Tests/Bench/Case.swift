import ArgumentParser

/// What can be measured, in this order.
enum Case: String, CaseIterable, ExpressibleByArgument {
    case accept, batch, pipelined, append, drain, commits

    /// Measures it.
    func run(_ benchmark: Benchmark) throws {
        switch self {
        case .accept: try benchmark.accept()
        case .batch: try benchmark.batch()
        case .pipelined: try benchmark.pipelined()
        case .append: try benchmark.append()
        case .drain: try benchmark.drain()
        case .commits: try benchmark.commits()
        }
    }
}
