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
    /// Nothing stands against it but that there was no room.
    case full

    /// Whether an idempotency key decides, whatever else stands against the message.
    package var isAboutKey: Bool {
        switch self {
        case .repeats, .keyReused: true
        case .accepted, .pendingExists, .notAvailable, .idTaken, .full: false
        }
    }
}

/// The accepting half of a queue that fronts on many hosts share. It judges and makes durable in one step, because
/// others book meanwhile. Calls block: use it from one thread at a time.
public protocol SharedBookingQueue: Sendable {
    /// Makes those messages durable that nothing stands against, not even one before it in the list.
    ///
    /// - Parameters:
    ///   - again: whether they may be in the queue or the table already, because it was not told how an earlier try ended.
    ///   - room: how many may be made durable.
    /// - Returns: what became of each, in their order.
    /// - Throws: at once when the queue can't be used. Unless the error says that it may have happened, none of them is
    ///   in the queue.
    func accept(_ messages: [Message], again: Bool, room: Int) throws(QueueUnavailable) -> [SharedVerdict]

    /// What stands against messages at this moment. None of them is taken.
    ///
    /// - Returns: for each, in their order; nil where nothing does.
    func objections(to messages: [Message]) throws(QueueUnavailable) -> [SharedVerdict?]

    /// Tells the workers of all hosts that something has come, where they can be told; else they find it.
    func tellArrivals()

    /// Takes what somebody was promised already, or has put in by hand: nobody can be refused any more, so what something
    /// stands against becomes a dead letter. An item that was taken before is a no-op, whatever has become of it since,
    /// until ``forget(_:)`` is called with it.
    ///
    /// - Parameters:
    ///   - spool: names the spool that they come from, unlike any other host's.
    ///   - time: the present time.
    /// - Returns: for each item, in their order, the dead letter that it became just now; nil otherwise.
    func forward(_ items: [Forwarded], from spool: String, at time: Timestamp) throws(QueueUnavailable)
        -> [SetAside?]

    /// What was taken from a spool and not forgotten: the marks of its items, by the ids of their messages.
    func marks(of spool: String) throws(QueueUnavailable) -> [BookingID: [BookingID]]

    /// Forgets that items with these marks were taken: they can't come again.
    func forget(_ marks: [BookingID]) throws(QueueUnavailable)

    /// How much is in the queue; the messages in hand count as active.
    func counts() throws(QueueUnavailable) -> QueueCounts

    /// Where a message is in the queue, and what it says; nil when it is not in it.
    func message(_ id: BookingID) throws(QueueUnavailable) -> (progress: Progress, message: Message)?

    /// How many dead letters of each class there are.
    func letterClasses() throws(QueueUnavailable) -> [FailureClass: Int]

    /// Which of these are in the table or the queue.
    func known(among ids: [BookingID]) throws(QueueUnavailable) -> Set<BookingID>
}

/// What a host's own spool hands over to a queue that hosts share.
public enum Forwarded: Sendable {
    /// A message.
    case message(Message)
    /// Bytes that can never be committed: what is wrong with them, as much of them as is to be kept, and how many they are.
    case poison(Poison, body: [UInt8], size: Int)

    /// Of the message, or what was to be one.
    package var id: BookingID {
        switch self {
        case .message(let message): message.id
        case .poison(let poison, _, _): poison.id
        }
    }

    /// The same for the same item, and for no other.
    package var mark: BookingID {
        var hash = ContentHash()
        func mix(_ text: String) {
            hash.mix(text)
            hash.mix(0)
        }
        switch self {
        case .message(let message):
            let request = message.request
            for text in [
                message.id.description, request.userID, request.apartmentID, request.stay.start.description,
                request.stay.end.description, request.idempotencyKey ?? "", String(message.redriveCount),
            ] { mix(text) }
        case .poison(let poison, let body, let size):
            mix(poison.id.description)
            mix(String(size))
            for byte in body { hash.mix(byte) }
        }
        return BookingID(high: hash.high, low: hash.low)
    }
}

/// What could not be taken into a queue that hosts share.
public struct SetAside: Hashable, Sendable {
    /// The dead letter's id: the item's, or another where something else has that.
    public let id: BookingID
    /// Why it became one.
    public let reason: String

    /// A letter with this id.
    public init(id: BookingID, reason: String) {
        self.id = id
        self.reason = reason
    }
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
