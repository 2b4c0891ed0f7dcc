import Varlink

/// What happened to a booking, or to the queue as a whole (`Event` of io.acms.Bookings and io.acms.Queue).
public struct BookingEvent: Codable, Hashable, Sendable {
    /// What can happen.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// The booking is durable in the queue.
        case accepted = "ACCEPTED"
        /// It is in the table.
        case committed = "COMMITTED"
        /// A try failed; it waits for another.
        case deferred = "DEFERRED"
        /// It was set aside.
        case deadLettered = "DEAD_LETTERED"
        /// An operator has put it back into the queue.
        case redriven = "REDRIVEN"
        /// An operator has deleted it.
        case deleted = "DELETED"
        /// A caretaker has approved it.
        case approved = "APPROVED"
        /// A caretaker has cancelled it, or approved another one that overlaps it, or nobody has decided it in time.
        case cancelled = "CANCELLED"
        /// The committing was stopped.
        case paused = "PAUSED"
        /// The committing goes on.
        case resumed = "RESUMED"
    }

    /// When.
    public var on: Timestamp
    /// What.
    public var kind: Kind
    /// The booking's id; nil where it is about the queue.
    public var id: String?
    /// The booking's user, where it is known.
    public var userId: String?
    /// The booking's apartment, where it is known.
    public var apartmentId: String?
    /// Why, where something failed.
    public var reason: String?
    /// The trace that the booking belongs to: 32 hexadecimal digits.
    public var traceId: String?

    /// Creates an event.
    public init(
        on: Timestamp, _ kind: Kind, id: String? = nil, userId: String? = nil, apartmentId: String? = nil,
        reason: String? = nil, traceId: String? = nil
    ) {
        self.on = on
        self.kind = kind
        self.id = id
        self.userId = userId
        self.apartmentId = apartmentId
        self.reason = reason
        self.traceId = traceId
    }
}

/// Parameters of WatchEvents: which events; all that is given must hold.
public struct EventFilter: Codable, Hashable, Sendable {
    /// Of this booking.
    public var id: String?
    /// Of this user's bookings.
    public var userId: String?
    /// Of this apartment's bookings.
    public var apartmentId: String?
    /// The fields, all that may be given.
    public enum CodingKeys: String, CodingKey, CaseIterable { case id, userId, apartmentId }

    /// Creates a filter.
    public init(id: String? = nil, userId: String? = nil, apartmentId: String? = nil) {
        self.id = id
        self.userId = userId
        self.apartmentId = apartmentId
    }

    /// Decodes a filter; unknown fields are refused.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
        id = try fields.decodeIfPresent(String.self, forKey: .id)
        userId = try fields.decodeIfPresent(String.self, forKey: .userId)
        apartmentId = try fields.decodeIfPresent(String.self, forKey: .apartmentId)
    }

    /// Whether an event is one of those that are asked for.
    public func matches(_ event: BookingEvent) -> Bool {
        // Byte for byte, as everywhere: Swift's `==` takes canonically equivalent spellings for one.
        func agrees(_ wanted: String?, _ actual: String?) -> Bool {
            guard let wanted else { return true }
            return actual.map { $0.utf8.elementsEqual(wanted.utf8) } ?? false
        }
        return agrees(id, event.id) && agrees(userId, event.userId) && agrees(apartmentId, event.apartmentId)
    }
}

/// Reply of WatchEvents.
public struct EventsReply: Codable, Hashable, Sendable {
    /// What has happened since the reply before.
    public var events: [BookingEvent]
    /// How many events before these were left out, because the caller was too slow.
    public var missed: Int

    /// Creates the reply.
    public init(events: [BookingEvent], missed: Int) {
        self.events = events
        self.missed = missed
    }
}
