internal import Synchronization

/// Whom servers let in, and what connections may hold: shared by all servers of a process, as its memory and its
/// descriptors are.
public final class Admission: Sendable {
    /// How many calls of a connection may be under way while much is held; one would leave the connection idle
    /// between two calls.
    static let callsUnderPressure = 2

    private struct State {
        var limits: ServerLimits
        var accounts = PeerAccounts()
        /// Those that hold more than what isn't counted.
        var holders: [ObjectIdentifier: Connection] = [:]
    }

    private let state: Mutex<State>
    private let onReached: (@Sendable (LimitReached) -> Void)?
    /// Whether so much is held that connections are to have fewer calls under way. Read for each call.
    private let pressure = Atomic(false)
    /// Connections that were accepted and aren't closed yet, those that will be refused among them.
    private let descriptors = Atomic(0)

    /// - Parameters:
    ///   - limits: what all connections may cost.
    ///   - onReached: called for each connection that is closed because of them, on any thread. It must not block.
    public init(_ limits: ServerLimits = .init(), onReached: (@Sendable (LimitReached) -> Void)? = nil) {
        state = Mutex(State(limits: limits))
        self.onReached = onReached
    }

    /// Takes new limits over. Those of a single connection hold for the connections that come from now on.
    public func reconfigure(_ limits: ServerLimits) {
        state.withLock { $0.limits = limits }
    }

    /// How many bytes are held by those connections that hold more than an ordinary call.
    public var bytesInFlight: Int { state.withLock { $0.accounts.bytes } }

    var isUnderPressure: Bool { pressure.load(ordering: .relaxed) }

    /// Whether another connection may be accepted, if only to be closed: more than a few that are about to be closed
    /// would take the descriptors that the rest of the process needs.
    var mayAccept: Bool {
        descriptors.load(ordering: .relaxed) < state.withLock { $0.limits.maximumConnections } + 64
    }

    func accepted() { descriptors.add(1, ordering: .relaxed) }

    func closed() { descriptors.subtract(1, ordering: .relaxed) }

    /// Lets a connection in.
    ///
    /// - Returns: its limits; nil when it is to be closed.
    func admit(_ peer: Peer) -> ConnectionLimits? {
        let (limits, reached) = state.withLock { ($0.limits, $0.accounts.admit(peer.uid, $0.limits)) }
        guard let reached else { return limits.connection }
        report(reached, peer)
        return nil
    }

    /// A connection that was let in has ended, or was never begun.
    func remove(_ id: ObjectIdentifier, _ peer: Peer) {
        state.withLock { state in
            state.accounts.remove(id, peer.uid)
            state.holders[id] = nil
            notePressure(state)
        }
    }

    /// Learns what a connection holds, as `PeerAccounts.counted` says.
    func hold(_ connection: Connection, _ counted: Int, isClosed: Bool) {
        let id = ObjectIdentifier(connection)
        let closing = state.withLock { state -> [Connection] in
            state.holders[id] = counted == 0 ? nil : connection
            let closing = state.accounts.hold(
                id, connection.peer.uid, counted, isClosed: isClosed,
                limit: state.limits.maximumBytesInFlight)
            notePressure(state)
            return closing.compactMap { state.holders[$0] }
        }
        for connection in closing {
            connection.close()
            report(.bytesInFlight, connection.peer)
        }
    }

    func report(_ limit: LimitReached.Limit, _ peer: Peer) {
        onReached?(LimitReached(limit: limit, peer: peer))
    }

    private func notePressure(_ state: borrowing State) {
        let isHigh = state.accounts.bytes > state.limits.maximumBytesInFlight / 2
        if isHigh != isUnderPressure { pressure.store(isHigh, ordering: .relaxed) }
    }
}
