import Synchronization

/// Keeps a connection to the database, for one user at a time. What is asked of it fails at once while there is none;
/// meanwhile it is connected to on a thread of its own, again and again, with growing pauses between the tries.
public final class DatabaseLink: Sendable {
    private enum State {
        /// Nothing was tried yet.
        case unused
        case connected(Lent)
        /// In use by somebody.
        case lent
        /// There is none, for this reason; nil at the very first try.
        case connecting(DatabaseTrouble?)
        case closed
    }

    /// A connection that is used by one thread at a time, as the state hands it from one to the next.
    private struct Lent: @unchecked Sendable {
        let connection: Connection
    }

    let target: DatabaseTarget
    private let state = Mutex(State.unused)
    private let executor = ConnectingExecutor()
    private let reached: @Sendable () -> Void
    /// Called before and after each use; what it throws is as if the database had.
    private let gate: @Sendable () throws(DatabaseTrouble) -> Void

    /// Mostly a server is there again at once, or there is another.
    private static let patience = Duration.seconds(1)
    static let firstPause = Duration.milliseconds(50)
    static let longestPause = Duration.seconds(2)

    /// - Parameter reached: called each time that a connection was made.
    public convenience init(_ target: DatabaseTarget, reached: @escaping @Sendable () -> Void = {}) {
        self.init(target, reached: reached) {}
    }

    /// - Parameter gate: called before and after each use; what it throws is as if the database had.
    init(
        _ target: DatabaseTarget, reached: @escaping @Sendable () -> Void = {},
        gate: @escaping @Sendable () throws(DatabaseTrouble) -> Void
    ) {
        self.target = target
        self.reached = reached
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

    /// As ``use(_:)`` for what changes nothing, so that it can be done once more when the connection breaks.
    func reading<R>(_ body: (Connection) throws(DatabaseTrouble) -> R) throws(DatabaseTrouble) -> R {
        do {
            return try use(body)
        } catch  where error.kind == .lost {
            executor.wait(atMost: Self.patience)
            return try use(body)
        } catch {
            throw error
        }
    }

    /// Ends the connection, for good.
    public func close() { state.withLock { $0 = .closed } }

    private func take() throws(DatabaseTrouble) -> Connection {
        if endIfDead() { executor.wait(atMost: Self.patience) }
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
            }
        }
        if let lent = try found.get() { return lent.connection }
        if !connect() { keepConnecting() }
        return try take()
    }

    /// Looks whether the server has ended the connection while nobody used it: then nothing is sent that may or may not
    /// be done.
    ///
    /// - Returns: whether it has; another is being made.
    private func endIfDead() -> Bool {
        state.withLock { state in
            guard case .connected(let lent) = state, !lent.connection.isAlive else { return false }
            state = .connecting(
                DatabaseTrouble(
                    .unreachable, "The database has ended the connection; it is connected to again."))
            keepConnecting()
            return true
        }
    }

    private func give(back connection: Connection, _ trouble: DatabaseTrouble?) {
        let lent = Lent(connection: connection)
        let isLost = connection.isBroken
        state.withLock { state in
            if case .closed = state { return }
            guard isLost else {
                state = .connected(lent)
                return
            }
            // Mostly another server has taken over, or this one is there again at once.
            state = .connecting(trouble)
            keepConnecting()
        }
    }

    /// Connects on a thread of its own until that succeeds or nobody wants it any more.
    private func keepConnecting() {
        executor.run { [weak self] in self?.connect() ?? true }
    }

    /// - Returns: whether there is nothing more to do.
    private func connect() -> Bool {
        do throws(DatabaseTrouble) {
            let connection = try Connection(target)
            try Schema.prepare(connection, target)
            let lent = Lent(connection: connection)
            state.withLock { if case .connecting = $0 { $0 = .connected(lent) } }
            reached()
            return true
        } catch {
            return state.withLock { state in
                guard case .connecting = state else { return true }
                state = .connecting(error)
                return false
            }
        }
    }
}
