import Bookings
import Spool

/// Where an entry of the spool is.
struct SpoolEntry: Hashable {
    var place: SpoolPlace
    var name: String
}

/// What the front knows of the messages in the queue: which entry holds each, and which user and apartment each
/// claims. Fed with what the spool shows; does no I/O itself.
struct QueueIndex {
    private struct Known {
        var entry: SpoolEntry
        let claim: ClaimKey
    }

    private var messages: [BookingID: Known] = [:]
    private var entries: [SpoolEntry: [BookingID]] = [:]
    /// The message that holds each claim, and those that hold it as well: files put in by hand are not judged
    /// before the worker sees them.
    private var claims: [ClaimKey: BookingID] = [:]
    private var furtherClaims: [ClaimKey: [BookingID]] = [:]
    /// Entries that have left their place and not yet shown up in another.
    private var moving: [String: [(entry: SpoolEntry, ids: [BookingID])]] = [:]

    /// How many messages are known.
    var count: Int { messages.count }

    /// The messages in the queue that claim this user and apartment.
    func holders(of claim: ClaimKey) -> [BookingID] {
        guard let first = claims[claim] else { return [] }
        return [first] + (furtherClaims[claim] ?? [])
    }

    /// The entry that holds a message.
    func entry(of id: BookingID) -> SpoolEntry? { messages[id]?.entry }

    /// The messages of an entry.
    func messages(in entry: SpoolEntry) -> [BookingID] { entries[entry] ?? [] }

    /// Whether an entry is known.
    func contains(_ entry: SpoolEntry) -> Bool { entries[entry] != nil }

    /// Learns what an entry holds. A message that is known from another entry belongs to this one from now on.
    mutating func add(_ entry: SpoolEntry, _ held: [(id: BookingID, claim: ClaimKey)]) {
        entries[entry] = held.map(\.id)
        for (id, claim) in held {
            if messages.updateValue(Known(entry: entry, claim: claim), forKey: id) == nil { hold(claim, id) }
        }
    }

    /// Forgets an entry and the messages that only it held; their claims are free.
    ///
    /// - Returns: the messages that were known from it, wherever they are now.
    @discardableResult
    mutating func remove(_ entry: SpoolEntry) -> [BookingID] {
        let ids = entries.removeValue(forKey: entry) ?? []
        for id in ids where messages[id]?.entry == entry { forget(id) }
        return ids
    }

    /// Forgets a message; its claim is free.
    private mutating func forget(_ id: BookingID) {
        guard let known = messages.removeValue(forKey: id) else { return }
        release(known.claim, id)
    }

    /// An entry has left its place. Its claims stay held until `settleMoves` has looked for it.
    mutating func vanish(_ entry: SpoolEntry) {
        guard let ids = entries.removeValue(forKey: entry) else { return }
        moving[entry.name, default: []].append((entry, ids))
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

    /// Ends all moves: an entry that has shown up nowhere is gone, and its messages with it, but for those that
    /// other entries hold.
    ///
    /// - Parameter exists: whether an entry is there now.
    /// - Returns: the messages of entries that are gone: in the table, deferred, dead or deleted.
    mutating func settleMoves(exists: (SpoolEntry) -> Bool) -> [BookingID] {
        var gone: [BookingID] = []
        for moved in moving.values.joined() {
            let target = SpoolPlace.allCases.map { SpoolEntry(place: $0, name: moved.entry.name) }
                .first { moved.entry.canMove(to: $0.place) && exists($0) }
            if let target, entries[target] == nil {
                arrive(moved, at: target)
            } else {
                for id in moved.ids where messages[id]?.entry == moved.entry { forget(id) }
                gone += moved.ids
            }
        }
        moving = [:]
        return gone
    }

    private mutating func arrive(_ moved: (entry: SpoolEntry, ids: [BookingID]), at target: SpoolEntry) {
        entries[target] = moved.ids
        for id in moved.ids where messages[id]?.entry == moved.entry { messages[id]?.entry = target }
    }

    private mutating func hold(_ claim: ClaimKey, _ id: BookingID) {
        if claims[claim] == nil {
            claims[claim] = id
        } else {
            furtherClaims[claim, default: []].append(id)
        }
    }

    private mutating func release(_ claim: ClaimKey, _ id: BookingID) {
        if claims[claim] == id {
            claims[claim] = furtherClaims[claim]?.popLast()
        } else {
            furtherClaims[claim]?.removeAll { $0 == id }
        }
        if furtherClaims[claim]?.isEmpty ?? false { furtherClaims[claim] = nil }
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
    fileprivate func canMove(to place: SpoolPlace) -> Bool {
        switch (self.place, place) {
        case (.incoming, .active), (.active, .incoming), (.deferred, .active), (.active, .deferred): true
        default: false
        }
    }
}
