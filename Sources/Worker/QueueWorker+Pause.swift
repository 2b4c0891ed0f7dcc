import Bookings
import Spool
import Varlink

extension QueueWorker {
    /// Stops committing, until a time if there is one; durable on return.
    func pause(until end: Timestamp?, by peer: Peer) throws(ErrorReply) {
        let time = now()
        if let end, end <= time { throw ErrorReply(ServiceError.InvalidParameter(parameter: "until")) }
        let pause = QueuePause(until: end, since: time, uid: peer.uid)
        try change {
            try takeNothing()
            try consumer.setPause(pause)
        }
        self.pause = pause
        report.paused(pause, by: peer)
        wake.yield()
    }

    /// Goes on committing; durable on return.
    func resume(by peer: Peer) throws(ErrorReply) {
        try change {
            try takeNothing()
            try consumer.setPause(nil)
        }
        if pause != nil { report.resumed(by: peer) }
        pause = nil
        wake.yield()
    }

    /// Learns what was asked for on another host.
    func learnPause() throws(QueueUnavailable) {
        let present = try consumer.pause()
        if pause != nil, present == nil { report.resumed(by: nil) }
        pause = present
    }

    private func change(_ body: () throws -> Void) throws(ErrorReply) {
        do {
            try body()
        } catch {
            let reason = (error as? QueueUnavailable)?.reason ?? "\(error)"
            throw ErrorReply(QueueInterface.StorageUnavailable(reason: reason))
        }
    }

    /// Ends a pause whose time has come.
    ///
    /// - Returns: whether the queue is paused.
    func isPaused(at time: Timestamp) throws(QueueUnavailable) -> Bool {
        guard let pause else { return false }
        guard let end = pause.until, end <= time else { return true }
        // Where others decide as well, a newer pause must not be ended: the queue knows by itself when this one is over.
        if !servesOthers { try consumer.setPause(nil) }
        self.pause = nil
        report.resumed(by: nil)
        return false
    }
}
