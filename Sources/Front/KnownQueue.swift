import Bookings
import Spool

/// The front's knowledge of the queue, kept up with the spool: built by reading every entry, then by the changes
/// that inotify shows. The worker makes a message durable in its new place before it leaves the old one, so a
/// claim is never out of sight.
struct KnownQueue {
    private(set) var index = QueueIndex()
    private let reader: SpoolReader
    private let watch: SpoolWatch
    private var isComplete = false
    private var awaited: [BookingID: [Int: AsyncStream<Void>.Continuation]] = [:] {
        // Each group that is accepted brings the knowledge up to date, so nobody else needs it at once.
        didSet { watch.isPrompt = !awaited.isEmpty }
    }
    private var nextAwaiter = 0
    private static let places: [SpoolPlace] = [.incoming, .active, .deferred, .dead]

    init(_ directory: SpoolDirectory) throws(SpoolError) {
        reader = SpoolReader(directory)
        watch = try SpoolWatch(directory, places: Self.places)
        watch.isPrompt = false
    }

    /// An element for each time that something may have changed.
    func wakeUps() -> AsyncStream<Void> { watch.wakeUps() }

    /// Looks whether the watched directories were replaced.
    func renewWatches() { watch.renew() }

    /// Brings the knowledge up to what the spool shows now.
    mutating func refresh() throws(QueueUnavailable) {
        if !isComplete { watch.renew() }
        do {
            // Once more when events were lost meanwhile; without a watch on every place each look is a full one.
            for _ in 0..<3 {
                var events = watch.drain()
                if !isComplete || events.contains(.overflow) {
                    try rebuild()
                    isComplete = watch.isWhole
                    notify(Array(awaited.keys))
                    // What moved while the spool was being read.
                    events = watch.drain()
                }
                try apply(events)
                if isComplete { return }
            }
        } catch {
            isComplete = false
            throw QueueUnavailable(reason: "The spool can't be read. \(error)", kind: error.kind)
        }
    }

    /// Knows a message of the group that is about to be made durable.
    ///
    /// - Parameter bytes: how long its file will be at most.
    mutating func claim(_ group: [Message], as name: String, bytes: Int) {
        index.announce(
            SpoolEntry(place: .incoming, name: name), group.map(QueuedBooking.init), bytes: bytes)
    }

    /// Learns how long the file of a group is.
    mutating func resize(_ name: String, bytes: Int) {
        index.resize(SpoolEntry(place: .incoming, name: name), bytes: bytes)
    }

    /// Forgets a group that was not made durable. Should its file be there all the same, its events tell.
    mutating func disclaim(_ name: String) {
        index.remove(SpoolEntry(place: .incoming, name: name))
    }

    /// An element for each change of a message, from now on; `stopAwaiting` ends it.
    mutating func changes(of id: BookingID) -> (number: Int, changes: AsyncStream<Void>) {
        let (changes, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        nextAwaiter += 1
        awaited[id, default: [:]][nextAwaiter] = continuation
        return (nextAwaiter, changes)
    }

    /// Ends what `changes` gave.
    mutating func stopAwaiting(_ id: BookingID, _ number: Int) {
        awaited[id]?.removeValue(forKey: number)?.finish()
        if awaited[id]?.isEmpty ?? false { awaited[id] = nil }
    }

    /// Ends all that `changes` gave.
    mutating func stopAwaiting() {
        for awaiter in awaited.values.joined() { awaiter.value.finish() }
        awaited = [:]
    }

    private mutating func rebuild() throws(SpoolError) {
        // Messages go from incoming/ by active/ to the table, deferred/ or dead/; what moves while this reads is
        // read again by its event.
        index = QueueIndex()
        if PlantedFault.claimNotRebuilt.isPlanted { return }
        let (reader, watch) = (reader, watch)
        for place in Self.places {
            let names = try reader.entries(in: place)
            try reader.readEntries(names, in: place, keeping: { QueuedBooking($0) }) {
                (name, held, bytes) throws(SpoolError) in
                watch.collect()
                let entry = SpoolEntry(place: place, name: name)
                if let bytes {
                    index.add(entry, held, bytes: bytes)
                } else {
                    _ = try read(entry.destinations)
                }
            }
        }
    }

    /// Learns what the first of the entries holds that is there. One that has moved on since it was seen is so
    /// looked for where it can have gone.
    ///
    /// - Returns: whether one was found.
    private mutating func read(_ candidates: [SpoolEntry]) throws(SpoolError) -> Bool {
        for entry in candidates {
            var held: [QueuedBooking] = []
            let bytes = try reader.forEachMessage(in: entry.place, entry.name.description) { message in
                held.append(QueuedBooking(message))
                return true
            }
            if let bytes {
                index.add(entry, held, bytes: bytes)
                return true
            }
        }
        return false
    }

    private mutating func apply(_ first: [SpoolEvent]) throws(SpoolError) {
        guard !first.isEmpty else { return }
        var changed: [BookingID] = []
        defer { if !awaited.isEmpty { notify(changed) } }
        var events = first
        // An entry that was not found has moved on, and the event that says so may come a moment later. Nothing is
        // taken for gone before a look at where it can be was followed by a moment without events: what has left one
        // place is in another by then, and seen there. Should no such moment come, claims stay held.
        for _ in 0..<100 {
            let hasMissed = try learn(events, &changed)
            if !hasMissed, !index.isMoving { return }
            events = watch.drain()
            if hasMissed || !events.isEmpty { continue }
            let there = try placesOfDeparted()
            events = watch.drain()
            if events.isEmpty {
                changed += index.settleMoves { there.contains($0) }
                break
            }
        }
    }

    /// - Returns: whether an entry that has come was not found.
    private mutating func learn(
        _ events: [SpoolEvent], _ changed: inout [BookingID]
    ) throws(SpoolError) -> Bool {
        var hasMissed = false
        for event in events {
            switch event {
            case .appeared(let place, let name):
                let entry = SpoolEntry(place: place, name: name)
                if index.appear(entry), try !read([entry] + entry.destinations) { hasMissed = true }
                if !awaited.isEmpty { changed += index.messages(in: entry) }
            case .vanished(let place, let name):
                index.vanish(SpoolEntry(place: place, name: name))
            case .touched:
                changed += awaited.keys
            case .overflow:
                isComplete = false
            }
        }
        return hasMissed
    }

    /// Looks for entries that have left their place: reads those that were deferred.
    ///
    /// - Returns: where the others are.
    private mutating func placesOfDeparted() throws(SpoolError) -> Set<SpoolEntry> {
        var there: Set<SpoolEntry> = []
        for entry in index.departed {
            for place in entry.destinations where try reader.exists(place.place, place.name.description) {
                there.insert(place)
            }
            let deferred = SpoolEntry(place: .deferred, name: entry.name)
            if entry.place == .active, !index.knows(deferred) { _ = try read([deferred]) }
        }
        return there
    }

    /// Wakes those who await one of these messages; all for nil.
    func notify(_ ids: [BookingID]?) {
        for id in ids ?? Array(awaited.keys) { awaited[id]?.values.forEach { $0.yield() } }
    }
}
