/// Why the table can't be used at present. No message is to blame.
public struct TableUnavailable: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of trouble.
    public enum Kind: String, Sendable, CaseIterable {
        /// The table's file has not been created yet: there are no bookings in it.
        case missing
        /// The table's file was there before and is gone.
        case gone
        /// The file or its directory can't be opened.
        case cannotOpen
        /// Another program holds a lock.
        case locked
        /// The file system or the quota is full.
        case full
        /// A read, write or sync failed.
        case inputOutput
        /// The table may not be written.
        case readOnly
        /// SQLite finds the file damaged, or no database at all.
        case corrupt
        /// The schema is newer than this program knows; it is not touched.
        case newerSchema
        /// The committing is paused, for all hosts: nothing is wrong.
        case paused
        /// Any other trouble with the table as a whole.
        case other
    }

    /// What kind of trouble.
    public let kind: Kind
    /// The table's path, what failed, and what to do, in full sentences.
    public let reason: String

    /// Describes trouble with the table.
    public init(_ kind: Kind, reason: String) {
        self.kind = kind
        self.reason = reason
    }

    /// The reason.
    public var description: String { reason }
}

/// Whether a request may be accepted, as far as the table tells.
public enum TableVerdict: Hashable, Sendable {
    /// Nothing stands against it.
    case free
    /// It repeats the request that this booking came of: same user, same idempotency key, same input.
    case repeats(id: String)
    /// The user has used its idempotency key for this different booking.
    case keyReused(id: String)
    /// This PENDING booking has the same user and apartment.
    case pendingExists(id: String)
    /// This APPROVED booking of the apartment overlaps it.
    case notAvailable(id: String, startDate: String, endDate: String)
}

/// A page of bookings, newest first.
public struct BookingPage: Hashable, Sendable {
    /// The bookings.
    public var items: [Booking]
    /// Where the next page begins; nil after the last.
    public var nextToken: String?

    /// Creates a page.
    public init(items: [Booking], nextToken: String?) {
        self.items = items
        self.nextToken = nextToken
    }
}

/// Whose bookings to list.
public enum BookingOwner: Hashable, Sendable {
    /// Those of one apartment.
    case apartment(String)
    /// Those of one user.
    case user(String)
    /// All there are.
    case everybody
}

/// A page token that no page gave.
public struct InvalidPageToken: Error, Hashable, Sendable {
    /// Creates the error.
    public init() {}
}

/// The half of the table that only reads. Each call sees one state of the table, the newest committed one.
/// Calls block on disk: make them from a thread that may.
public protocol BookingQueries: Sendable {
    /// The booking with this id, or nil.
    func booking(_ id: BookingID) throws(TableUnavailable) -> Booking?

    /// Which of these ids are in the table.
    func committed(among ids: [BookingID]) throws(TableUnavailable) -> Set<BookingID>

    /// Judges each request, in order, against one state of the table.
    func verdicts(on requests: [BookingRequest]) throws(TableUnavailable) -> [TableVerdict]

    /// Up to `limit` bookings of `owner`, newest first, those with `status` when it is given, after the page
    /// that gave `token`. Those of everybody come in the order of their ids.
    func bookings(
        of owner: BookingOwner, status: BookingStatus?, limit: Int, after token: String?
    ) throws -> BookingPage

    /// Messages committed and dead-lettered since the table was created.
    func totals() throws(TableUnavailable) -> (committed: Int, deadLettered: Int)
}

/// What became of one message of a batch.
public enum ApplyOutcome: Hashable, Sendable {
    /// It is in the table now.
    case committed
    /// It was in the table before; nothing was changed.
    case alreadyCommitted
    /// It can never be committed.
    case poison(reason: String)
    /// It failed; another try may work.
    case failed(reason: String)
}

/// What became of a caretaker's decision.
public enum Decision: Hashable, Sendable {
    /// Done; the PENDING bookings that an approval cancelled, as they were.
    case decided(Booking, cancelled: [Booking])
    /// No booking in the table has the id.
    case notFound
    /// The booking's status does not allow it.
    case wrongStatus(BookingStatus)
    /// This APPROVED booking of the apartment overlaps it.
    case notAvailable(Booking)
}

/// The table that bookings are committed to. The seam for other engines: implementations block on disk or
/// network, and are used from one thread at a time.
public protocol BookingTable: BookingQueries {
    /// Applies a batch in one transaction, durable on return; a message that fails leaves nothing. The
    /// outcomes are in the batch's order. Inserts what is absent and never updates. `deadLettered` is added to
    /// the total of dead letters in the same transaction.
    func apply(_ batch: [Message], deadLettered: Int) throws(TableUnavailable) -> [ApplyOutcome]

    /// Approves a PENDING booking and cancels the PENDING ones of the apartment that overlap it, in one
    /// transaction, durable on return.
    func approve(_ id: BookingID, at time: Timestamp) throws(TableUnavailable) -> Decision

    /// Cancels a PENDING or APPROVED booking, durable on return.
    func cancel(_ id: BookingID, at time: Timestamp) throws(TableUnavailable) -> Decision

    /// Cancels up to `limit` bookings that are PENDING and were created before `time`, oldest first, in one
    /// transaction, durable on return.
    ///
    /// - Returns: the bookings as they are now.
    func expirePending(
        createdBefore time: Timestamp, limit: Int, at now: Timestamp
    ) throws(TableUnavailable) -> [Booking]
}
