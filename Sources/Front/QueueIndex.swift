import Bookings
import Spool

/// Where an entry of the spool is.
struct SpoolEntry: Hashable {
    var place: SpoolPlace
    var name: String
}

/// What the front knows of the messages in the queue: which entries hold each, and which user and apartment each
/// claims. Fed with what the spool shows; does no I/O itself.
///
/// A message can be in two entries for a while, because it is made durable in its new place before it leaves the
/// old one, and for good when somebody puts a copy in. A claim is held until the last entry that makes it goes.
struct QueueIndex {
    typealias Held = (id: BookingID, claim: ClaimKey)

    private var entries: [SpoolEntry: [Held]] = [:]
    private var places: [BookingID: [SpoolEntry]] = [:]
    /// Who claims what, once for each entry.
    private var claims: [ClaimKey: [BookingID]] = [:]
    /// Entries that have left their place and not yet shown up in another.
    private var moving: [String: [(entry: SpoolEntry, held: [Held])]] = [:]

    /// How many messages are known.
    var count: Int { places.count }

    /// The messages in the queue that claim this user and apartment.
    func holders(of claim: ClaimKey) -> [BookingID] {
        (claims[claim] ?? []).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// The entry that holds a message; of several the one that is furthest from the table.
    func entry(of id: BookingID) -> SpoolEntry? {
        places[id]?.max { $0.place.rank < $1.place.rank }
    }

    /// The messages of an entry.
    func messages(in entry: SpoolEntry) -> [BookingID] { (entries[entry] ?? []).map(\.id) }

    /// Learns what an entry holds.
    mutating func add(_ entry: SpoolEntry, _ held: [Held]) {
        remove(entry)
        entries[entry] = held
        for (id, claim) in held {
            places[id, default: []].append(entry)
            claims[claim, default: []].append(id)
        }
    }

    /// Forgets an entry, and the claims that only it made.
    mutating func remove(_ entry: SpoolEntry) {
        release(entries.removeValue(forKey: entry) ?? [], of: entry)
    }

    /// An entry has left its place. Its claims stay held until `settleMoves` has looked for it.
    mutating func vanish(_ entry: SpoolEntry) {
        guard let held = entries.removeValue(forKey: entry) else { return }
        moving[entry.name, default: []].append((entry, held))
    }

    /// An entry has come into a place.
    ///
    /// - Returns: whether its messages are unknown, so that it must be read and added.
    mutating func appear(_ entry: SpoolEntry) -> Bool {
        guard entries[entry] == nil else { return false }
        guard let index = moving[entry.name]?.firstIndex(where: { $0.entry.canMove(to: entry.place) }),
            let moved = moving[entry.name]?.remove(at: index)
        else { return true }
        arrive(moved, at: entry)
        return false
    }

    /// Ends all moves: an entry that has shown up nowhere is gone.
    ///
    /// - Parameter exists: whether an entry is there now.
    /// - Returns: the messages of entries that are gone: in the table, deferred, dead or deleted.
    mutating func settleMoves(exists: (SpoolEntry) -> Bool) -> [BookingID] {
        var gone: [BookingID] = []
        for moved in moving.values.joined() {
            if let target = moved.entry.destinations.first(where: { entries[$0] == nil && exists($0) }) {
                arrive(moved, at: target)
            } else {
                release(moved.held, of: moved.entry)
                gone += moved.held.map(\.id)
            }
        }
        moving = [:]
        return gone
    }

    private mutating func arrive(_ moved: (entry: SpoolEntry, held: [Held]), at target: SpoolEntry) {
        entries[target] = moved.held
        for (id, _) in moved.held {
            if let index = places[id]?.firstIndex(of: moved.entry) { places[id]?[index] = target }
        }
    }

    private mutating func release(_ held: [Held], of entry: SpoolEntry) {
        for (id, claim) in held {
            if let index = places[id]?.firstIndex(of: entry) { places[id]?.remove(at: index) }
            if places[id]?.isEmpty ?? false { places[id] = nil }
            if let index = claims[claim]?.firstIndex(of: id) { claims[claim]?.remove(at: index) }
            if claims[claim]?.isEmpty ?? false { claims[claim] = nil }
        }
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

    /// Whether the worker renames entries from here to `place`.
    func canMove(to place: SpoolPlace) -> Bool {
        switch (self.place, place) {
        case (.incoming, .active), (.active, .incoming), (.deferred, .active), (.active, .deferred): true
        default: false
        }
    }

    /// Where the worker may have renamed the entry to.
    var destinations: [SpoolEntry] {
        SpoolPlace.allCases.filter(canMove(to:)).map { SpoolEntry(place: $0, name: name) }
    }
}

extension SpoolPlace {
    fileprivate var rank: Int {
        switch self {
        case .tmp, .incoming: 0
        case .active: 1
        case .deferred: 2
        case .dead: 3
        }
    }
}
