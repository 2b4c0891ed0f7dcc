import Bookings
import Spool

/// Where an entry of the spool is.
struct SpoolEntry: Hashable {
    var place: SpoolPlace
    var name: String
}

/// What the front knows of a message in the queue.
struct QueuedBooking: Hashable {
    let id: BookingID
    let claim: ClaimKey
    let stay: Stay
    /// The user and the idempotency key.
    let key: ClaimKey?

    init(_ message: Message) {
        self.init(id: message.id, message.request)
    }

    init(id: BookingID, _ request: BookingRequest) {
        self.id = id
        claim = request.claim
        stay = request.stay
        key = request.keyClaim
    }

    /// Whether this is what became of `request`, if both have the same key.
    func isMade(from request: BookingRequest) -> Bool { claim == request.claim && stay == request.stay }
}

/// What the front knows of the messages in the queue: which entries hold each, which user and apartment each
/// claims, and which key. Fed with what the spool shows; does no I/O itself.
///
/// A message can be in two entries for a while, because it is made durable in its new place before it leaves the
/// old one, and for good when somebody puts a copy in. A claim is held until the last entry that makes it goes.
struct QueueIndex {
    private struct Entry {
        let held: [QueuedBooking]
        let bytes: Int
    }

    private var entries: [SpoolEntry: Entry] = [:]
    private var places: [BookingID: [SpoolEntry]] = [:]
    /// Who claims what, once for each entry.
    private var claims: [ClaimKey: [QueuedBooking]] = [:]
    /// The same for idempotency keys.
    private var keys: [ClaimKey: [QueuedBooking]] = [:]
    /// Entries that have left their place and not yet shown up in another.
    private var moving: [String: [(place: SpoolEntry, entry: Entry)]] = [:]
    /// Entries that are known before the spool has shown them: the front made them, or looked for them.
    private var announced: Set<SpoolEntry> = []

    /// How many messages are known.
    var count: Int { places.count }
    /// How many of them wait to be committed: incoming, active or deferred.
    private(set) var waitingMessages = 0
    /// The bytes of the entries that hold them.
    private(set) var waitingBytes = 0

    /// The messages in the queue that claim this user and apartment.
    func holders(of claim: ClaimKey) -> [BookingID] {
        (claims[claim] ?? []).reduce(into: []) { if !$0.contains($1.id) { $0.append($1.id) } }
    }

    /// The message in the queue that has this user and idempotency key.
    func holder(ofKey key: ClaimKey) -> QueuedBooking? { keys[key]?.first }

    /// The entry that holds a message; of several the one that is furthest from the table.
    func entry(of id: BookingID) -> SpoolEntry? {
        places[id]?.max { $0.place.rank < $1.place.rank }
    }

    /// The messages of an entry.
    func messages(in entry: SpoolEntry) -> [BookingID] { (entries[entry]?.held ?? []).map(\.id) }

    /// Learns what an entry holds, and how long it is in bytes.
    mutating func add(_ place: SpoolEntry, _ held: [QueuedBooking], bytes: Int) {
        remove(place)
        insert(Entry(held: held, bytes: bytes), at: place)
        for booking in held {
            claims[booking.claim, default: []].append(booking)
            if let key = booking.key { keys[key, default: []].append(booking) }
        }
    }

    /// Learns of an entry that the front is about to make itself.
    mutating func announce(_ place: SpoolEntry, _ held: [QueuedBooking], bytes: Int) {
        add(place, held, bytes: bytes)
        announced.insert(place)
    }

    /// Learns how long an entry is.
    mutating func resize(_ place: SpoolEntry, bytes: Int) {
        guard let entry = entries[place] else { return }
        entries[place] = Entry(held: entry.held, bytes: bytes)
        if place.place.waits { waitingBytes += bytes - entry.bytes }
    }

    /// Forgets an entry, and the claims that only it made.
    mutating func remove(_ place: SpoolEntry) {
        announced.remove(place)
        guard let entry = entries.removeValue(forKey: place) else { return }
        withdraw(entry, from: place)
        release(entry.held)
    }

    /// An entry has left its place. Its claims stay held until `settleMoves` has looked for it.
    mutating func vanish(_ place: SpoolEntry) {
        announced.remove(place)
        guard let entry = entries.removeValue(forKey: place) else { return }
        moving[place.name, default: []].append((place, entry))
    }

    /// An entry has come into a place.
    ///
    /// - Returns: whether it must be read and added: it is unknown, or may have taken the place of another.
    mutating func appear(_ place: SpoolEntry) -> Bool {
        if announced.remove(place) != nil { return false }
        guard entries[place] == nil,
            let index = moving[place.name]?.firstIndex(where: { $0.place.canMove(to: place.place) }),
            let moved = moving[place.name]?.remove(at: index)
        else { return true }
        arrive(moved.entry, from: moved.place, at: place)
        return false
    }

    /// Entries that have left their place and not yet shown up in another.
    var departed: [SpoolEntry] { moving.values.joined().map(\.place) }

    /// Whether an entry is known to be in its place.
    func knows(_ place: SpoolEntry) -> Bool { entries[place] != nil }

    /// Ends all moves: an entry that has shown up nowhere is gone.
    ///
    /// - Parameter exists: whether an entry is there now.
    /// - Returns: the messages of entries that are gone: in the table, deferred, dead or deleted.
    mutating func settleMoves(exists: (SpoolEntry) -> Bool) -> [BookingID] {
        var gone: [BookingID] = []
        for moved in moving.values.joined() {
            if let target = moved.place.destinations.first(where: { entries[$0] == nil && exists($0) }) {
                arrive(moved.entry, from: moved.place, at: target)
                // Its event is still to come.
                announced.insert(target)
            } else {
                withdraw(moved.entry, from: moved.place)
                release(moved.entry.held)
                gone += moved.entry.held.map(\.id)
            }
        }
        moving = [:]
        return gone
    }

    private mutating func arrive(_ entry: Entry, from source: SpoolEntry, at target: SpoolEntry) {
        withdraw(entry, from: source)
        insert(entry, at: target)
    }

    private mutating func insert(_ entry: Entry, at place: SpoolEntry) {
        entries[place] = entry
        if place.place.waits { waitingBytes += entry.bytes }
        for booking in entry.held { change(booking.id) { $0.append(place) } }
    }

    /// - Parameter entry: known no more; another may have taken its place since.
    private mutating func withdraw(_ entry: Entry, from place: SpoolEntry) {
        if place.place.waits { waitingBytes -= entry.bytes }
        for booking in entry.held {
            change(booking.id) { if let index = $0.firstIndex(of: place) { $0.remove(at: index) } }
        }
    }

    /// Changes where a message is, and counts it while it waits anywhere.
    private mutating func change(_ id: BookingID, _ body: (inout [SpoolEntry]) -> Void) {
        var now = places[id] ?? []
        let waited = now.contains { $0.place.waits }
        body(&now)
        let waits = now.contains { $0.place.waits }
        places[id] = now.isEmpty ? nil : now
        if waits != waited { waitingMessages += waits ? 1 : -1 }
    }

    private mutating func release(_ held: [QueuedBooking]) {
        for booking in held {
            Self.remove(booking, from: &claims, booking.claim)
            if let key = booking.key { Self.remove(booking, from: &keys, key) }
        }
    }

    private static func remove(
        _ booking: QueuedBooking, from table: inout [ClaimKey: [QueuedBooking]], _ key: ClaimKey
    ) {
        if let index = table[key]?.firstIndex(of: booking) { table[key]?.remove(at: index) }
        if table[key]?.isEmpty ?? false { table[key] = nil }
    }
}

extension SpoolEntry {
    /// How far on its way the entry is.
    var progress: Progress {
        switch place {
        case .tmp, .incoming, .active: .queued
        case .deferred: .deferred
        case .dead: .deadLettered
        }
    }

    /// Whether an entry that has left its place and one of its name that has come to `place` are the same file.
    ///
    /// What comes to `deferred/` never counts: mostly it is a new file, and an operator may have put another booking
    /// into it.
    func canMove(to place: SpoolPlace) -> Bool {
        switch (self.place, place) {
        case (.incoming, .active), (.active, .incoming), (.deferred, .active): true
        default: false
        }
    }

    /// Where the entry may be as the same file.
    var destinations: [SpoolEntry] {
        SpoolPlace.allCases.filter(canMove(to:)).map { SpoolEntry(place: $0, name: name) }
    }
}

extension SpoolPlace {
    /// Whether what is here is still to be committed.
    fileprivate var waits: Bool { self != .dead && self != .tmp }

    fileprivate var rank: Int {
        switch self {
        case .tmp, .incoming: 0
        case .active: 1
        case .deferred: 2
        case .dead: 3
        }
    }
}
