public import Varlink

/// One failed try to commit a message (`Attempt` of io.acms.Queue).
public struct Attempt: Codable, Hashable, Sendable {
    /// When it failed.
    public var on: Timestamp
    /// What kind of failure: POISON, CRASH, or FAILED for one that another try may mend.
    public var `class`: String
    /// Why it failed.
    public var reason: String

    /// A failure that another try may mend.
    public static let failed = "FAILED"
    /// The worker died while it had the message.
    public static let crash = "CRASH"
    /// The message can never be committed.
    public static let poison = "POISON"

    /// Records a failed try.
    public init(on: Timestamp, class: String, reason: String) {
        self.on = on
        self.class = `class`
        self.reason = reason
    }
}

/// An accepted booking on its way to the table.
public struct Message: Hashable, Sendable {
    /// The booking's id, the table's key.
    public var id: BookingID
    /// When it was accepted.
    public var acceptedOn: Timestamp
    /// Who brought it; nil when it was put into the spool by hand.
    public var peer: Peer?
    /// How often a worker has received it and could not settle it.
    public var receiveCount: Int
    /// What is asked for.
    public var request: BookingRequest
    /// The failed tries so far, oldest first.
    public var attempts: [Attempt]
    /// No try before this time; nil when it is due at once.
    public var notBefore: Timestamp?
    /// How often an operator has put it back into the queue. Of two copies the one with more is the valid one.
    public var redriveCount: Int
    /// The caller's place in a distributed trace.
    public var traceParent: TraceParent?

    /// Creates a message; a new one has not been received.
    public init(
        id: BookingID, acceptedOn: Timestamp, peer: Peer?, request: BookingRequest, receiveCount: Int = 0,
        attempts: [Attempt] = [], notBefore: Timestamp? = nil, redriveCount: Int = 0,
        traceParent: TraceParent? = nil
    ) {
        self.id = id
        self.acceptedOn = acceptedOn
        self.peer = peer
        self.request = request
        self.receiveCount = receiveCount
        self.attempts = attempts
        self.notBefore = notBefore
        self.redriveCount = redriveCount
        self.traceParent = traceParent
    }
}
