import Varlink

/// A message of the queue with all that is kept of it, as it is moved from one engine to another.
public struct StoredMessage: Hashable, Sendable {
    /// The message. Its `notBefore` is when it is due, and nil unless it is deferred.
    public var message: Message
    /// Whether it waits for another try.
    public var isDeferred: Bool

    /// - Parameter message: one that is deferred without saying until when is due since it came.
    public init(message: Message, isDeferred: Bool) {
        self.message = message
        self.isDeferred = isDeferred
        self.message.notBefore = isDeferred ? message.notBefore ?? message.acceptedOn : nil
    }

    /// Whether it killed a worker and is to be tried by itself.
    public var isAlone: Bool { isDeferred && message.attempts.last?.class == Attempt.crash }

    /// How a message of the target stands to this one of the source, which has the same id.
    public func match(_ target: StoredMessage) -> TransferMatch {
        if self == target { return .same }
        return origin == target.origin ? .later : .different
    }

    /// As it was when it came.
    package var origin: StoredMessage {
        var message = message
        message.receiveCount = 0
        message.redriveCount = 0
        message.attempts = []
        return StoredMessage(message: message, isDeferred: false)
    }
}

extension StoredMessage: TransferRecord {
    /// Takes in all there is.
    public func mix(into hash: inout RecordHash) {
        hash.add(isDeferred ? "deferred" : "queued")
        message.mixOrigin(into: &hash)
        hash.add("\(message.receiveCount) \(message.redriveCount)")
        message.attempts.mix(into: &hash)
        hash.add(message.notBefore)
    }
}

extension Message {
    /// What of a message never changes.
    func mixOrigin(into hash: inout RecordHash) {
        for text in [
            id.description, request.userID, request.apartmentID, request.stay.start.description,
            request.stay.end.description,
        ] {
            hash.add(text)
        }
        hash.add(request.idempotencyKey)
        hash.add(acceptedOn)
        hash.add(peer.map { "\($0.uid) \($0.gid) \($0.pid)" })
        hash.add(traceParent?.description)
    }
}

extension [Attempt] {
    func mix(into hash: inout RecordHash) {
        hash.add("\(count)")
        for attempt in self {
            hash.add(attempt.on)
            hash.add(attempt.class)
            hash.add(attempt.reason)
        }
    }
}
