/// The committing half of the queue, the seam for other engines. Calls block: use it from one thread at a time.
public protocol BookingQueueConsumer {
    // MARK: - Receiving

    /// Makes ready what is needed; comes before anything else.
    mutating func start(at time: Timestamp) throws(QueueUnavailable)

    /// Deals with messages that a worker had in hand and has not settled: those that may have killed it are charged,
    /// durably.
    ///
    /// - Parameters:
    ///   - limit: how many of a worker's messages may have killed it.
    ///   - committed: which of these ids are in the table.
    ///   - charge: what becomes of a message that may have killed the worker.
    /// - Returns: the messages charged.
    mutating func recover(
        upTo limit: Int, at time: Timestamp,
        committed: ([BookingID]) throws(TableUnavailable) -> Set<BookingID>, charge: (Message) -> Settlement
    ) throws -> [BookingID]

    /// Whether `recover` has something to do again: another worker has left messages.
    var needsRecovery: Bool { get }

    /// Looks for what has come; with `retryingStuck` also once more at what can't be taken.
    mutating func scan(retryingStuck: Bool) throws(QueueUnavailable)

    /// Takes up to `limit` messages that are due, in order of arrival. A message to be tried alone comes alone.
    /// All that was received before must have been settled.
    mutating func receive(upTo limit: Int, at time: Timestamp) throws(QueueUnavailable) -> [Received]

    /// Settles messages: durable on return, and only then gone from the queue. When it throws, nothing is
    /// settled and it must be called again before the next `receive`.
    mutating func settle(_ settlements: [(Receipt, Settlement)], at time: Timestamp) throws(QueueUnavailable)

    /// Gives up what is in hand: it goes back where it came from, uncharged.
    mutating func release() throws(QueueUnavailable)

    /// When the next deferred message is due; nil when there is none.
    var nextDue: Timestamp? { get }

    /// How long nothing is looked for where nothing tells that it has come; nil where that is always told.
    var pollInterval: Duration? { get }

    /// Whether no message waits, is in hand or is deferred, as far as the last scan tells.
    var isEmpty: Bool { get }

    /// Whether all that the last scan found was received.
    var isExhausted: Bool { get }

    /// Whether a message that killed a worker may be among those that wait: few are to be taken at a time, so that
    /// it is found.
    var isCautious: Bool { get }

    /// Makes the space that is kept for a full disk, where it is missing and there is room.
    func keepReserve()

    // MARK: - For operators

    /// Counts messages, looking anew.
    mutating func counts() throws(QueueUnavailable) -> QueueCounts

    /// Where a message waits; nil when it is not in the queue.
    mutating func progress(of id: BookingID) throws(QueueUnavailable) -> Progress?

    /// The pause that is in force; nil when there is none.
    func pause() throws(QueueUnavailable) -> QueuePause?

    /// Makes a pause last, in place of an earlier one, or ends it; durable on return. Nothing is committed by anybody from
    /// then on until it ends.
    func setPause(_ pause: QueuePause?) throws(QueueUnavailable)

    /// What was noticed since the last call.
    mutating func takeNotices() -> [QueueNotice]

    /// Whether a letter is there, and matches the filter.
    func hasLetter(_ id: BookingID, matching filter: DeadLetterFilter?) throws(QueueUnavailable) -> Bool

    /// The message that a letter would be in the queue: its id and history, a fresh receive count.
    ///
    /// - Parameters:
    ///   - filter: the letter must match it.
    ///   - input: what to book instead; nil for what the letter holds. Without a key of its own it keeps the
    ///     letter's, as long as the user is the same: whoever asks again with that key must find this booking.
    /// - Throws: ``RedriveObstacle``, or `QueueUnavailable`.
    func redrivable(
        _ id: BookingID, matching filter: DeadLetterFilter?, replacing input: CreateBookingInput?
    ) throws -> Message

    /// What stands in the queue against putting letters' messages back into it, as far as ``redrive(_:as:)`` would find it.
    func obstacles(to messages: [Message]) throws(QueueUnavailable) -> [BookingID: RedriveObstacle]

    /// Puts letters' messages back into the queue, durably. Nothing may be in hand.
    ///
    /// - Parameter name: an id unlike any other, for what they get in common.
    /// - Returns: those that could not be put back, and why.
    /// - Throws: when none of them is in the queue again.
    mutating func redrive(
        _ messages: [Message], as name: BookingID
    ) throws(QueueUnavailable) -> [BookingID: RedriveObstacle]

    /// Deletes letters for good. Nothing may be in hand.
    ///
    /// - Returns: those that could not be deleted, and why.
    mutating func delete(_ ids: [BookingID]) throws(QueueUnavailable) -> [BookingID: DeletionObstacle]
}

extension BookingQueueConsumer {
    /// Looks for what has come.
    public mutating func scan() throws(QueueUnavailable) { try scan(retryingStuck: false) }
}

/// What waits in the queue and the dead letters, to look at. Calls block: use it from one thread at a time.
public protocol BookingQueueReader: Sendable {
    /// A page of letters in order of id, after `token`, with the beginnings of their bodies.
    ///
    /// - Throws: `QueueUnavailable`, or `InvalidPageToken`.
    func letters(matching filter: DeadLetterFilter?, limit: Int, after token: String?) throws -> (
        items: [DeadLetter], nextToken: String?
    )

    /// One letter with its body; nil when there is none with this id.
    func letter(_ id: BookingID) throws(QueueUnavailable) -> DeadLetter?

    /// The ids of up to `limit` letters that match `filter`, in order, after the letter `last`.
    func letterIDs(
        matching filter: DeadLetterFilter, limit: Int, after last: BookingID?
    ) throws(QueueUnavailable) -> [BookingID]

    /// The messages that wait, those in hand first, from where an earlier list ended.
    ///
    /// - Throws: `QueueUnavailable`, or `InvalidPageToken`.
    func messages(after token: String?) throws -> any QueuePages

    /// Counts what waits, or the dead letters, by name and age.
    func ages(by key: QueueInterface.AgeKey, dead: Bool) -> any QueueAges

    /// Whether the committing is paused, or was when a worker last ran.
    func isPaused() throws(QueueUnavailable) -> Bool
}

/// A list of messages, page by page.
public protocol QueuePages {
    /// The next messages, at most `limit`, and where to go on; nil after the last.
    mutating func next(_ limit: Int) throws(QueueUnavailable) -> QueueInterface.MessageList
}

/// Counts messages by name and age, in portions.
public protocol QueueAges {
    /// Counts some more.
    ///
    /// - Returns: whether there may be others.
    mutating func countMore(into tally: inout AgeTally) throws(QueueUnavailable) -> Bool
}

/// A pause of the committing: it survives restarts.
public struct QueuePause: Codable, Hashable, Sendable {
    /// When it ends by itself; nil for never.
    public var until: Timestamp?
    /// Since when.
    public var since: Timestamp
    /// The user id of who asked for it.
    public var uid: UInt32?

    /// Describes a pause.
    public init(until: Timestamp?, since: Timestamp, uid: UInt32?) {
        self.until = until
        self.since = since
        self.uid = uid
    }
}

/// Something odd that was noticed and got round; to be logged.
public enum QueueNotice: Hashable, Sendable {
    /// The entry can't be moved out of `incoming/`; it stays there and is left alone.
    case stuck(name: String, reason: String)
    /// The message waits in the queue already; this copy of it is dropped.
    case duplicate(BookingID, progress: Progress)
    /// So many messages, whose files a power cut had taken, were put back from the journal.
    case replayed(Int)
    /// The file of `deferred/` was not what its name says; it was put back into `incoming/`.
    case misplaced(name: String)
    /// The journal's segment is damaged in so many places.
    case damagedJournal(segment: String, stretches: Int)
    /// What came in the host's spool became a dead letter, because nobody else could be told of its refusal.
    case setAside(Result<Message, Poison>, reason: String)
    /// So many messages of the host's spool are in the database now.
    case forwarded(Int)
    /// The host's spool can't be forwarded at present.
    case notForwarded(reason: String)
}

/// Why a dead letter was not deleted.
public enum DeletionObstacle: Error, Hashable, Sendable {
    /// It isn't there any more: somebody else has redriven or deleted it.
    case notFound
    /// Its storage failed; the reason in full sentences.
    case unavailable(reason: String)
}

/// Why a dead letter can't go back into the queue as it is.
public enum RedriveObstacle: Error, Hashable, Sendable {
    /// There is no letter with this id, or it does not match the filter.
    case notFound
    /// It holds no booking that is valid; the reason in a full sentence.
    case invalid(reason: String)
    /// Another message of the queue has its user and apartment, or its key.
    case claimed
}
