import Synchronization

/// Keeps a connection to the database, for one user at a time. What is asked of it fails at once while there is none;
/// another is made on a thread of its own, with growing pauses between the tries.
public final class DatabaseLink: Sendable {
    private enum State {
        /// Nothing was tried yet.
        case unused
        case connected(Lent)
        /// In use by somebody.
        case lent
        case connecting(DatabaseTrouble?)
        /// The last try failed; no other before this time.
        case failed(DatabaseTrouble, nextTry: ContinuousClock.Instant, pause: Duration)
        case closed
    }

    /// A connection that is used by one thread at a time, as the state hands it from one to the next.
    private struct Lent: @unchecked Sendable {
        let connection: Connection
    }

    let target: DatabaseTarget
    private let state = Mutex(State.unused)
    private let executor = ConnectingExecutor()
    private let changed: @Sendable () -> Void
    /// Called before and after each use; what it throws is as if the database had.
    private let gate: @Sendable () throws(DatabaseTrouble) -> Void

    static let firstPause = Duration.milliseconds(100)
    static let longestPause = Duration.seconds(3)

    /// - Parameter changed: called when a connection was made or could not be.
    public convenience init(_ target: DatabaseTarget, changed: @escaping @Sendable () -> Void = {}) {
        self.init(target, changed: changed) {}
    }

    /// - Parameter gate: called before and after each use; what it throws is as if the database had.
    init(
        _ target: DatabaseTarget, changed: @escaping @Sendable () -> Void = {},
        gate: @escaping @Sendable () throws(DatabaseTrouble) -> Void
    ) {
        self.target = target
        self.changed = changed
        self.gate = gate
    }

    /// Uses the connection. Blocks while the database works, and at the very first use while it is being connected to.
    ///
    /// - Throws: at once when there is no connection.
    func use<R>(_ body: (Connection) throws(DatabaseTrouble) -> R) throws(DatabaseTrouble) -> R {
        try gate()
        let connection = try take()
        do {
            let value = try body(connection)
            try gate()
            give(back: connection, nil)
            return value
        } catch {
            give(back: connection, error)
            throw error
        }
    }

    /// As ``use(_:)``, and once more where others were in the way.
    func retrying<R>(_ body: (Connection) throws(DatabaseTrouble) -> R) throws(DatabaseTrouble) -> R {
        for _ in 0..<5 {
            do {
                return try use(body)
            } catch  where error.isCollision {
                continue
            } catch {
                throw error
            }
        }
        return try use(body)
    }

    /// Ends the connection, for good.
    public func close() { state.withLock { $0 = .closed } }

    private func take() throws(DatabaseTrouble) -> Connection {
        let found = state.withLock { state -> Result<Lent?, DatabaseTrouble> in
            switch state {
            case .connected(let lent):
                state = .lent
                return .success(lent)
            case .unused:
                // The first to come waits for it: there is nobody yet whom that could hold up.
                state = .connecting(nil)
                return .success(nil)
            case .lent, .closed:
                return .failure(DatabaseTrouble(.unreachable, "The connection to the database is in use."))
            case .connecting(let trouble):
                return .failure(
                    trouble
                        ?? DatabaseTrouble(.unreachable, "The database is being connected to; call again."))
            case .failed(let trouble, let nextTry, let pause):
                if ContinuousClock.now >= nextTry {
                    state = .connecting(trouble)
                    executor.run { [self] in connect(after: pause) }
                }
                return .failure(trouble)
            }
        }
        if let lent = try found.get() { return lent.connection }
        connect(after: nil)
        return try take()
    }

    private func give(back connection: Connection, _ trouble: DatabaseTrouble?) {
        let lent = Lent(connection: connection)
        let isLost = connection.isBroken
        state.withLock { state in
            if case .closed = state { return }
            guard isLost, let trouble else {
                state = isLost ? .unused : .connected(lent)
                return
            }
            // Mostly another server has taken over, or this one is there again at once.
            state = .connecting(trouble)
            executor.run { [self] in connect(after: nil) }
        }
    }

    private func connect(after pause: Duration?) {
        do throws(DatabaseTrouble) {
            let connection = try Connection(target)
            try Schema.prepare(connection, target)
            let lent = Lent(connection: connection)
            state.withLock { if case .closed = $0 {} else { $0 = .connected(lent) } }
        } catch {
            let next = min((pause ?? Self.firstPause / 2) * 2, Self.longestPause)
            state.withLock { state in
                if case .closed = state { return }
                state = .failed(error, nextTry: .now + next, pause: next)
            }
        }
        changed()
    }
}
