/// Why the queue can't be used at present, or one operation on it failed.
public struct QueueUnavailable: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, on what, what failed, and what to do, in full sentences.
    public let reason: String
    /// Tells one kind of trouble from another where the reason differs from try to try.
    public let kind: String
    /// Whether the operation may have been done all the same: its end was not told.
    public let mayHaveHappened: Bool

    /// Describes trouble with the queue.
    public init(reason: String, kind: String? = nil, mayHaveHappened: Bool = false) {
        self.reason = reason
        self.kind = kind ?? reason
        self.mayHaveHappened = mayHaveHappened
    }

    /// The reason.
    public var description: String { reason }
}

/// The accepting half of the queue, the seam for other engines. Calls block: use it from one thread at a time.
public protocol BookingQueueProducer: Sendable {
    /// Makes all messages durable at once. When it throws, none of them is in the queue.
    ///
    /// - Returns: the bytes that they take.
    @discardableResult
    func enqueue(_ group: [Message]) throws(QueueUnavailable) -> Int

    /// The bytes that a message for `request` takes at most.
    func maximumBytes(of request: BookingRequest) -> Int

    /// Bytes that are free where the queue is.
    func freeBytes() throws(QueueUnavailable) -> Int
}

/// What `settle` needs to find a received message again.
public struct Receipt: Hashable, Sendable {
    /// The file, or what else messages are taken from together.
    public let source: Int
    /// The message's number there.
    public let number: Int

    /// Numbers a received message.
    public init(source: Int, number: Int) {
        self.source = source
        self.number = number
    }
}

/// A message as a worker receives it.
public struct Received: Sendable {
    /// What `settle` needs to find it again.
    public let receipt: Receipt
    /// The message, or why its bytes can never be one.
    public let content: Result<Message, Poison>
    /// Whether it must be tried by itself, because a worker died while it had it.
    public let alone: Bool

    /// Creates a received message.
    public init(receipt: Receipt, content: Result<Message, Poison>, alone: Bool = false) {
        self.receipt = receipt
        self.content = content
        self.alone = alone
    }
}

/// Bytes in the queue that can never be committed.
public struct Poison: Error, Hashable, Sendable {
    /// The id the bytes name, or the one derived from their place.
    public package(set) var id: BookingID
    /// Why they can't be committed.
    public let reason: String
    /// The user, as far as it could be read.
    public let userID: String?
    /// The apartment, as far as it could be read.
    public let apartmentID: String?
    /// How often it had been received before.
    public let receiveCount: Int
    /// The failed tries before.
    public let attempts: [Attempt]
    /// The spool file and the line that they came in, for the log.
    public var origin: String?

    /// Describes poison.
    public init(
        id: BookingID, reason: String, userID: String? = nil, apartmentID: String? = nil,
        receiveCount: Int = 0,
        attempts: [Attempt] = []
    ) {
        self.id = id
        // Reasons quote names and members that anybody may have chosen.
        self.reason = String(
            String.UnicodeScalarView(reason.unicodeScalars.map { $0.isSafeInText ? $0 : "\u{fffd}" }))
        self.userID = userID
        self.apartmentID = apartmentID
        // A file can claim any number.
        self.receiveCount = min(max(0, receiveCount), 1_000_000)
        self.attempts = attempts
    }
}

/// Why a message is a dead letter (`FailureClass` of io.acms.Queue).
public enum FailureClass: String, Codable, Sendable, CaseIterable {
    /// It can never be committed.
    case poison = "POISON"
    /// It ran out of receives.
    case exhausted = "EXHAUSTED"
    /// It killed the worker.
    case crash = "CRASH"
}

/// What becomes of a received message.
public enum Settlement: Hashable, Sendable {
    /// It is durable in the table.
    case committed
    /// It waits until `message.notBefore` for another try; `message` carries the new count and attempts.
    case deferred(Message)
    /// It is set aside.
    case dead(FailureClass, reason: String, attempts: [Attempt], receiveCount: Int)
}
