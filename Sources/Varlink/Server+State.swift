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
        /// Connection, and not yet served.
        var unserved: Set<ObjectIdentifier> = []

        var isRunning: Bool {
            if case .running = phase { true } else { false }
        }

        /// - Returns: false when the server takes no connections any more.
        mutating func add(_ connection: Connection) -> Bool {
            guard isRunning else { return false }
            let id = ObjectIdentifier(connection.frames.channel)
            connections[id] = connection
            unserved.insert(id)
            return true
        }

        /// - Returns: whether the connection is to be ended as soon as what it sent is answered.
        mutating func startServing(_ connection: Connection) -> Bool {
            unserved.remove(ObjectIdentifier(connection.frames.channel))
            return !isRunning
        }

        mutating func remove(_ connection: Connection) {
            connections[ObjectIdentifier(connection.frames.channel)] = nil
        }

        mutating func takeUnserved() -> [Connection] {
            phase = .stopped
            defer { unserved = [] }
            return unserved.compactMap { connections[$0] }
        }
    }
}
