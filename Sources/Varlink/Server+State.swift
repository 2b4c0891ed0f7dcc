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

    struct Accepted: Sendable {
        let frames: Connection.Frames
        let peer: Peer
    }

    struct State {
        var phase = Phase.idle
        var connections: [ObjectIdentifier: Accepted] = [:]
        /// Accepted, and not yet served.
        var unserved: Set<ObjectIdentifier> = []

        /// - Returns: false when the server takes no connections any more.
        mutating func add(_ accepted: Accepted) -> Bool {
            guard case .running = phase else { return false }
            let id = ObjectIdentifier(accepted.frames.channel)
            connections[id] = accepted
            unserved.insert(id)
            return true
        }

        /// - Returns: whether the connection is to be ended as soon as what it sent is answered.
        mutating func startServing(_ accepted: Accepted) -> Bool {
            unserved.remove(ObjectIdentifier(accepted.frames.channel))
            if case .running = phase { return false }
            return true
        }

        mutating func remove(_ accepted: Accepted) {
            connections[ObjectIdentifier(accepted.frames.channel)] = nil
        }

        mutating func takeUnserved() -> [Accepted] {
            phase = .stopped
            defer { unserved = [] }
            return unserved.compactMap { connections[$0] }
        }
    }
}
