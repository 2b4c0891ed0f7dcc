/// What a queue that hosts share says to a message that it was asked to take.
public enum SharedVerdict: Hashable, Sendable {
    /// It is durable in the queue, or was before.
    case accepted
    /// An earlier call with the same key made this booking of it.
    case repeats(BookingID)
    /// The user has used its idempotency key for this different booking.
    case keyReused(BookingID)
    /// This booking has the same user and apartment and is not decided.
    case pendingExists(BookingID, Progress)
    /// This APPROVED booking of the apartment overlaps it.
    case notAvailable(id: BookingID, startDate: String, endDate: String)
    /// Its id belongs to another booking.
    case idTaken
}

/// The accepting half of a queue that fronts on many hosts share. It judges and makes durable in one step, because
/// others book meanwhile. Calls block: use it from one thread at a time.
public protocol SharedBookingQueue: Sendable {
    /// Makes those messages durable that nothing stands against, not even one before it in the list.
    ///
    /// - Parameter again: whether they may be in the queue or the table already, because it was not told how an earlier
    ///   try ended.
    /// - Returns: what became of each, in their order.
    /// - Throws: at once when the queue can't be used. Unless the error says that it may have happened, none of them is
    ///   in the queue.
    func accept(_ messages: [Message], again: Bool) throws(QueueUnavailable) -> [SharedVerdict]

    /// Keeps bytes that can never be committed as a dead letter; durable on return. One that is there already stays.
    ///
    /// - Parameter size: of the whole, of which `body` may be the beginning.
    func setAside(_ poison: Poison, body: [UInt8], size: Int, at time: Timestamp) throws(QueueUnavailable)

    /// Keeps a message as a dead letter that claims nothing, because another was first; durable on return.
    func setAside(_ message: Message, reason: String, at time: Timestamp) throws(QueueUnavailable)

    /// How much is in the queue; the messages in hand count as active.
    func counts() throws(QueueUnavailable) -> QueueCounts

    /// Where a message is in the queue, and what it says; nil when it is not in it.
    func message(_ id: BookingID) throws(QueueUnavailable) -> (progress: Progress, message: Message)?

    /// How many dead letters of each class there are.
    func letterClasses() throws(QueueUnavailable) -> [FailureClass: Int]

    /// Which of these are in the table or the queue.
    func known(among ids: [BookingID]) throws(QueueUnavailable) -> Set<BookingID>
}

/// How many messages are where.
public struct QueueCounts: Hashable, Sendable {
    /// Accepted, not yet received.
    public var incoming = 0
    /// Received, not yet settled.
    public var active = 0
    /// Waiting for another try.
    public var deferred = 0
    /// Set aside.
    public var dead = 0
    /// When the oldest message that waits came; nil when none does.
    public var oldest: Timestamp?

    /// Nothing is anywhere.
    public init() {}

    /// What is still to be committed.
    public var waiting: Int { incoming + active + deferred }
}
