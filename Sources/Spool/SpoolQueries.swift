public import Bookings

/// The spool, to look at: what waits and the dead letters.
public struct SpoolQueries: BookingQueueReader {
    private let reader: SpoolReader
    private let store: DeadLetterStore

    /// Looks at `directory`, which is only read.
    public init(_ directory: SpoolDirectory) {
        reader = SpoolReader(directory)
        store = DeadLetterStore(directory)
    }

    /// A page of letters in order of id, after `token`.
    public func letters(matching filter: DeadLetterFilter?, limit: Int, after token: String?) throws -> (
        items: [DeadLetter], nextToken: String?
    ) {
        do {
            return try store.list(matching: filter, limit: limit, after: token)
        } catch let error as SpoolError {
            throw Self.unreadable(error)
        }
    }

    /// One letter with its body.
    public func letter(_ id: BookingID) throws(QueueUnavailable) -> DeadLetter? {
        try reading { () throws(SpoolError) in
            try store.letter(id, bodyBytes: DeadLetterStore.shownBodyBytes)
        }
    }

    /// The ids of up to `limit` letters that match `filter`.
    public func letterIDs(
        matching filter: DeadLetterFilter, limit: Int, after last: BookingID?
    ) throws(QueueUnavailable) -> [BookingID] {
        try reading { () throws(SpoolError) in
            try store.ids(matching: filter, limit: limit, after: last)
        }
    }

    /// The messages that wait.
    public func messages(after token: String?) throws -> any QueuePages {
        do {
            return try QueueListing(reader, after: token)
        } catch let error as SpoolError {
            throw Self.unreadable(error)
        }
    }

    /// Counts what waits, or the dead letters, by name and age.
    public func ages(by key: QueueInterface.AgeKey, dead: Bool) -> any QueueAges {
        dead ? LetterAges(store: store, key: key) : WaitingAges(reader: reader, key: key)
    }

    /// Whether there is a pause, which may be over by now.
    public func isPaused() throws(QueueUnavailable) -> Bool {
        try reading { () throws(SpoolError) in try reader.isPaused() }
    }

    private func reading<R>(_ body: () throws(SpoolError) -> R) throws(QueueUnavailable) -> R {
        do {
            return try body()
        } catch {
            throw Self.unreadable(error)
        }
    }

    static func unreadable(_ error: SpoolError) -> QueueUnavailable {
        QueueUnavailable(reason: "The spool can't be read. \(error)", kind: error.kind)
    }
}

/// So many files are read before others get their turn.
private let portion = 64

private struct WaitingAges: QueueAges {
    let reader: SpoolReader
    let key: QueueInterface.AgeKey
    private var place = 0
    private var files: [EntryName]?

    init(reader: SpoolReader, key: QueueInterface.AgeKey) {
        self.reader = reader
        self.key = key
    }

    mutating func countMore(into tally: inout AgeTally) throws(QueueUnavailable) -> Bool {
        guard place < QueueListing.places.count else { return false }
        do {
            let current = QueueListing.places[place].place
            var left = if let files { files } else { try reader.entries(in: current) }
            for name in left.prefix(portion) {
                guard var messages = try reader.messages(in: current, name.description) else { continue }
                while let message = try messages.next() {
                    let request = message.request
                    tally.count(
                        key == .user ? request.userID : request.apartmentID, since: message.acceptedOn)
                }
                for _ in 0..<messages.unreadable { tally.count(nil, since: messages.arrival) }
            }
            left.removeFirst(min(portion, left.count))
            files = left.isEmpty ? nil : left
            if left.isEmpty { place += 1 }
            return place < QueueListing.places.count
        } catch {
            throw SpoolQueries.unreadable(error)
        }
    }
}

private struct LetterAges: QueueAges {
    let store: DeadLetterStore
    let key: QueueInterface.AgeKey
    private var ids: [BookingID]?

    init(store: DeadLetterStore, key: QueueInterface.AgeKey) {
        self.store = store
        self.key = key
    }

    mutating func countMore(into tally: inout AgeTally) throws(QueueUnavailable) -> Bool {
        do {
            var left = if let ids { ids } else { try store.ids() }
            for id in left.prefix(portion) {
                guard let letter = try store.letter(id, bodyBytes: 0) else { continue }
                tally.count(letter.name(for: key), since: letter.deadOn)
            }
            left.removeFirst(min(portion, left.count))
            ids = left
            return !left.isEmpty
        } catch {
            throw SpoolQueries.unreadable(error)
        }
    }
}
