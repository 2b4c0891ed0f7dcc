internal import NIOCore

extension Server {
    enum Phase {
        case idle
        /// Shut down before it was run.
        case neverRuns
        /// `listener` is nil until the socket is bound.
        case running(listener: (any Channel)?)
        /// No connection is accepted any more; those that are there come to their end.
        case shuttingDown
        case stopped
    }

    struct State {
        var phase = Phase.idle
        var connections: [ObjectIdentifier: Connection] = [:]
        /// Waits until there is no connection any more.
        private var waiting: CheckedContinuation<Void, Never>?

        var isRunning: Bool {
            if case .running = phase { true } else { false }
        }

        /// - Returns: false when the server takes no connections any more.
        mutating func add(_ connection: Connection) -> Bool {
            guard isRunning else { return false }
            connections[ObjectIdentifier(connection)] = connection
            return true
        }

        /// - Returns: who waits for the last one to go, if it was the last one.
        mutating func remove(_ connection: Connection) -> CheckedContinuation<Void, Never>? {
            connections[ObjectIdentifier(connection)] = nil
            guard connections.isEmpty else { return nil }
            defer { waiting = nil }
            return waiting
        }

        /// Takes no connection any more.
        ///
        /// - Returns: whether nobody had asked for the end.
        mutating func stop() -> Bool {
            defer { phase = .stopped }
            return isRunning
        }

        /// - Returns: false when there is nothing to wait for.
        mutating func waitForLast(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
            guard !connections.isEmpty else { return false }
            waiting = continuation
            return true
        }
    }
}
