import Dispatch

/// A thread for what may block for long: making connections.
final class ConnectingExecutor: Sendable {
    private let queue = DispatchQueue(label: "io.acms.database")

    func run(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }
}
