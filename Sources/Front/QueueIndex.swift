import Bookings
import Spool

/// What the front knows of the messages in the queue: which entries hold each, which user and apartment each
/// claims, and which key. Fed with what the spool shows; does no I/O itself.
///
/// A message can be in two entries for a while, because it is made durable in its new place before it leaves the
/// old one, and for good when somebody puts a copy in. A claim is held until the last entry that makes it goes.
///
/// A queued message takes some 100 bytes, none of them on its own: a queue of a million is known in 100 MB.
struct QueueIndex {
    private struct Entry {
        var place: SpoolEntry
        /// It has left its place and not yet shown up in another.
        var isMoving = false
        /// It is known before the spool has shown it: the front made it, or looked for it.
        var isAnnounced = false
        /// The first of its messages, and how many it counts for.
        var first = Row.none
        var count: UInt32 = 0
        var bytes: Int
    }

    /// A message as one entry holds it.
    private struct Held {
        let id: BookingID
        let claim: ClaimKey
        let stay: Stay
        let entry: Row
        /// The next message of the entry.
        var next = Row.none
        var key = Row.none
    }

    /// The idempotency key of a message.
    private struct Key {
        let claim: ClaimKey
        let message: Row
    }

    private var entries = FlatTable<Entry>()
    private var messages = FlatTable<Held>()
    private var keys = FlatTable<Key>()
    private var entriesByName = RowIndex()
    private var messagesByID = RowIndex()
    private var messagesByClaim = RowIndex()
    private var keysByClaim = RowIndex()
    /// The entries that are moving, in the order they left.
    private var moving: [Row] = []

    /// How many messages are known.
    private(set) var count = 0
    /// How many of them wait to be committed: incoming, active or deferred.
    private(set) var waitingMessages = 0
    /// The bytes of the entries that hold them.
    private(set) var waitingBytes = 0
    /// What the entries of each place hold.
    private(set) var counts = PlaceCounts()

    /// The messages in the queue that claim this user and apartment.
    func holders(of claim: ClaimKey) -> [BookingID] {
        var newestFirst: [BookingID] = []
        for row in messagesByClaim.rows(for: claim) where messages[row].claim == claim {
            newestFirst.append(messages[row].id)
        }
        guard newestFirst.count > 1 else { return newestFirst }
        var seen: Set<BookingID> = []
        return newestFirst.reversed().filter { seen.insert($0).inserted }
    }

    /// The message in the queue that has this user and idempotency key; of several the one that was known first.
    func holder(ofKey key: ClaimKey) -> QueuedBooking? {
        var first: QueuedBooking?
        for row in keysByClaim.rows(for: key) where keys[row].claim == key {
            let message = messages[keys[row].message]
            first = QueuedBooking(id: message.id, claim: message.claim, stay: message.stay, key: key)
        }
        return first
    }

    /// The entry that holds a message; of several the one that is furthest from the table.
    func entry(of id: BookingID) -> SpoolEntry? {
        var furthest: SpoolEntry?
        for row in messagesByID.rows(for: id) where messages[row].id == id {
            let place = entries[messages[row].entry].place
            if furthest.map({ $0.place.rank <= place.place.rank }) ?? true { furthest = place }
        }
        return furthest
    }

    /// When the oldest message that waits was accepted, by the time in its id; nil when none waits. The first message
    /// of an entry is its oldest.
    var oldestWaiting: Timestamp? {
        entries.all.lazy.filter { $0.first != .none && $0.place.place.waits }
            .compactMap { messages[$0.first].id.time }.min()
    }

    /// The messages of an entry.
    func messages(in place: SpoolEntry) -> [BookingID] { row(of: place).map(messages(in:)) ?? [] }

    /// Learns what an entry holds, and how long it is in bytes.
    mutating func add(_ place: SpoolEntry, _ held: [QueuedBooking], bytes: Int) {
        insert(place, held, bytes: bytes, isAnnounced: false)
    }

    /// Learns of an entry that the front is about to make itself.
    mutating func announce(_ place: SpoolEntry, _ held: [QueuedBooking], bytes: Int) {
        insert(place, held, bytes: bytes, isAnnounced: true)
    }

    /// Learns how long an entry is.
    mutating func resize(_ place: SpoolEntry, bytes: Int) {
        guard let entry = row(of: place) else { return }
        if place.place.waits { waitingBytes += bytes - entries[entry].bytes }
        entries[entry].bytes = bytes
    }

    /// Forgets an entry, and the claims that only it made.
    mutating func remove(_ place: SpoolEntry) {
        if let entry = row(of: place) { discard(entry) }
    }

    /// An entry has left its place. Its claims stay held until `settleMoves` has looked for it.
    mutating func vanish(_ place: SpoolEntry) {
        guard let entry = row(of: place) else { return }
        entries[entry].isAnnounced = false
        entries[entry].isMoving = true
        moving.append(entry)
    }

    /// An entry has come into a place.
    ///
    /// - Returns: whether it must be read and added: it is unknown, or may have taken the place of another.
    mutating func appear(_ place: SpoolEntry) -> Bool {
        if let entry = row(of: place) {
            defer { entries[entry].isAnnounced = false }
            return !entries[entry].isAnnounced
        }
        for entry in entriesByName.rows(for: place.name)
        where entries[entry].isMoving && entries[entry].place.name == place.name
            && entries[entry].place.canMove(to: place.place)
        {
            // Nearly always the last that left.
            if let index = moving.lastIndex(of: entry) { moving.remove(at: index) }
            arrive(entry, at: place)
            return false
        }
        return true
    }

    /// Whether an entry has left its place and not yet shown up in another.
    var isMoving: Bool { !moving.isEmpty }

    /// Entries that have left their place and not yet shown up in another.
    var departed: [SpoolEntry] { moving.map { entries[$0].place } }

    /// Whether an entry is known to be in its place.
    func knows(_ place: SpoolEntry) -> Bool { row(of: place) != nil }

    /// Ends all moves: an entry that has shown up nowhere is gone.
    ///
    /// - Parameter exists: whether an entry is there now.
    /// - Returns: the messages of entries that are gone: in the table, deferred, dead or deleted.
    mutating func settleMoves(exists: (SpoolEntry) -> Bool) -> [BookingID] {
        var gone: [BookingID] = []
        for entry in moving {
            if let target = entries[entry].place.destinations.first(where: { !knows($0) && exists($0) }) {
                arrive(entry, at: target)
                // Its event is still to come.
                entries[entry].isAnnounced = true
            } else {
                gone += messages(in: entry)
                discard(entry)
            }
        }
        moving.removeAll(keepingCapacity: true)
        return gone
    }
}

extension QueueIndex {
    /// The entry that is known to be in a place.
    private func row(of place: SpoolEntry) -> Row? {
        entriesByName.rows(for: place.name).first { entries[$0].place == place && !entries[$0].isMoving }
    }

    private func messages(in entry: Row) -> [BookingID] {
        var ids: [BookingID] = []
        var row = entries[entry].first
        while row != .none {
            ids.append(messages[row].id)
            row = messages[row].next
        }
        return ids
    }

    /// Files only move between places that wait, so what waits stays.
    private mutating func arrive(_ entry: Row, at place: SpoolEntry) {
        counts[entries[entry].place.place] -= Int(entries[entry].count)
        counts[place.place] += Int(entries[entry].count)
        entries[entry].place = place
        entries[entry].isMoving = false
    }

    private mutating func insert(
        _ place: SpoolEntry, _ held: [QueuedBooking], bytes: Int, isAnnounced: Bool
    ) {
        remove(place)
        // What can't be read is there all the same, and a letter that claims nothing is one.
        let count = place.place == .dead ? (place.name.isLetter ? 1 : 0) : max(1, held.count)
        let entry = entries.insert(
            Entry(place: place, isAnnounced: isAnnounced, count: UInt32(count), bytes: bytes))
        counts[place.place] += count
        entriesByName.insert(entry, for: place.name)
        if place.place.waits { waitingBytes += bytes }
        var last = Row.none
        for booking in held {
            let row = insert(booking, into: entry)
            if last == .none { entries[entry].first = row } else { messages[last].next = row }
            last = row
        }
    }

    private mutating func insert(_ booking: QueuedBooking, into entry: Row) -> Row {
        let (wasKnown, waited) = presence(of: booking.id)
        let row = messages.insert(
            Held(id: booking.id, claim: booking.claim, stay: booking.stay, entry: entry))
        messagesByID.insert(row, for: booking.id)
        messagesByClaim.insert(row, for: booking.claim)
        if let claim = booking.key {
            let key = keys.insert(Key(claim: claim, message: row))
            keysByClaim.insert(key, for: claim)
            messages[row].key = key
        }
        if !wasKnown { count += 1 }
        if !waited, entries[entry].place.place.waits { waitingMessages += 1 }
        return row
    }

    private mutating func discard(_ entry: Row) {
        let waited = entries[entry].place.place.waits
        if waited { waitingBytes -= entries[entry].bytes }
        counts[entries[entry].place.place] -= Int(entries[entry].count)
        var row = entries[entry].first
        while row != .none {
            let message = messages[row]
            messagesByID.remove(row)
            messagesByClaim.remove(row)
            if message.key != .none {
                keysByClaim.remove(message.key)
                keys.remove(message.key)
            }
            messages.remove(row)
            let (isKnown, waits) = presence(of: message.id)
            if !isKnown { count -= 1 }
            if waited, !waits { waitingMessages -= 1 }
            row = message.next
        }
        entriesByName.remove(entry)
        entries[entry].first = .none
        entries.remove(entry)
    }

    /// Whether a message is in any entry, and whether it is in one that waits.
    private func presence(of id: BookingID) -> (isKnown: Bool, waits: Bool) {
        var isKnown = false
        for row in messagesByID.rows(for: id) where messages[row].id == id {
            if entries[messages[row].entry].place.place.waits { return (true, true) }
            isKnown = true
        }
        return (isKnown, false)
    }
}
