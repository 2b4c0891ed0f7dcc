import Dispatch
import Glibc
import Synchronization

/// Listens for what the programs of other hosts tell. What is told while there is no connection is lost.
public final class PostgresListener: Sendable {
    /// What was told.
    public enum Hint: Hashable, Sendable {
        /// Messages have come into the queue, or the committing goes on.
        case arrivals
        /// Something has become of these messages.
        case settled([String])
        /// Anything can have been told meanwhile.
        case reconnected
    }

    private let target: DatabaseTarget
    private let queue = DispatchQueue(label: "io.acms.listener")
    private let isStopping = Atomic(false)

    private static let longestPause = Duration.seconds(5)
    /// How long a silence lasts until the connection is tried.
    private static let patience = Duration.seconds(10)

    /// Listens to the programs of `target`'s schema.
    public init(_ target: DatabaseTarget) {
        self.target = target
    }

    /// What is told from now on, as long as somebody wants it.
    ///
    /// - Parameter settlements: whether settled messages are of interest, instead of arrivals.
    public func hints(settlements: Bool) -> AsyncStream<Hint> {
        // Hints that nobody gets to in time are made up for by looking.
        let (stream, continuation) = AsyncStream.makeStream(
            of: Hint.self, bufferingPolicy: .bufferingNewest(1000))
        let name = settlements ? PostgresQueue.settlements : PostgresQueue.arrivals
        continuation.onTermination = { [self] _ in isStopping.store(true, ordering: .releasing) }
        queue.async { [self] in
            var pause = DatabaseLink.firstPause
            while !isStopping.load(ordering: .acquiring) {
                do {
                    try listen(to: target.channel(name)) { hint in
                        pause = DatabaseLink.firstPause
                        continuation.yield(hint)
                    }
                } catch {
                    usleep(UInt32(pause / .microseconds(1)))
                    pause = min(pause * 2, Self.longestPause)
                }
            }
        }
        return stream
    }

    private func listen(to channel: String, _ tell: (Hint) -> Void) throws(DatabaseTrouble) {
        let connection = try Connection(target)
        try connection.run(Statement("LISTEN \"\(channel)\""))
        tell(.reconnected)
        while !isStopping.load(ordering: .acquiring) {
            let told = try connection.notifications(waiting: Self.patience)
            if told.isEmpty { try connection.run(Statement("SELECT 1")) }
            for (_, payload) in told {
                tell(payload.isEmpty ? .arrivals : .settled(payload.split(separator: " ").map(String.init)))
            }
        }
    }
}
