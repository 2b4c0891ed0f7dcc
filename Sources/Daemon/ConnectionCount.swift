import Synchronization

/// How many callers are connected to a daemon, for whoever asks from another thread.
public final class ConnectionCount: Sendable {
    private let count = Atomic(0)

    /// Nobody is connected yet.
    public init() {}

    /// The number.
    public var value: Int {
        get { count.load(ordering: .relaxed) }
        set { count.store(newValue, ordering: .relaxed) }
    }
}
