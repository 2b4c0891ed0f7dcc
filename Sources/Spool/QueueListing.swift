import Bookings

/// Goes through the messages that wait, place by place and file by file, without holding more of them than a page.
struct QueueListing: QueuePages {
    /// Those in hand first: what moves on while the list is read moves to where it is read later, mostly.
    static let places: [(place: SpoolPlace, name: QueueInterface.Place)] = [
        (.active, .active), (.incoming, .incoming), (.deferred, .deferred),
    ]

    /// The place and the file that are being read, and how many of its messages were given.
    private struct Position {
        var place = 0
        var file: EntryName?
        var given = 0
    }

    private let reader: SpoolReader
    private var position = Position()
    /// Files of the place that come after the present one, last first.
    private var files: [EntryName] = []
    private var messages: EntryMessages?
    /// What was read to see whether there is more.
    private var ahead: Message?

    /// - Parameter token: where an earlier list ended; nil for the beginning.
    /// - Throws: `SpoolError`, or `InvalidPageToken`.
    init(_ reader: SpoolReader, after token: String?) throws {
        self.reader = reader
        guard let token else {
            try begin(0)
            return
        }
        let parts = token.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).map(
            String.init)
        guard parts.count == 3, let place = Self.places.firstIndex(where: { $0.place.rawValue == parts[0] }),
            let given = Int(parts[1]), given >= 0, !parts[2].isEmpty
        else { throw InvalidPageToken() }
        let file = EntryName(parts[2])
        try begin(place)
        while let last = files.last, last < file { files.removeLast() }
        guard files.last == file else { return }
        try open(files.removeLast())
        while position.given < given, try messages?.next() != nil { position.given += 1 }
    }

    /// A page ends with the message that makes it longer than this, in bytes, roughly.
    private static let pageBytes = 1 << 20

    /// The next messages, at most `limit`, and where to go on; nil after the last.
    mutating func next(_ limit: Int) throws(QueueUnavailable) -> QueueInterface.MessageList {
        do {
            return try page(limit)
        } catch {
            throw SpoolQueries.unreadable(error)
        }
    }

    private mutating func page(_ limit: Int) throws(SpoolError) -> QueueInterface.MessageList {
        var items: [QueueInterface.QueuedMessage] = []
        var bytes = 0
        while items.count < limit, bytes < Self.pageBytes {
            guard let message = try following() else { return .init(items: items, nextToken: nil) }
            position.given += 1
            bytes += message.attempts.reduce(1024) { $0 + $1.reason.utf8.count + 100 }
            items.append(
                .init(
                    message, in: Self.places[position.place].name, file: position.file?.description ?? ""))
        }
        let token = token
        ahead = try following()
        return .init(items: items, nextToken: ahead == nil ? nil : token)
    }

    /// The next message, where the position is before it; nil after the last.
    private mutating func following() throws(SpoolError) -> Message? {
        if let message = ahead {
            ahead = nil
            return message
        }
        while true {
            if let message = try messages?.next() { return message }
            if let file = files.popLast() {
                try open(file)
            } else if position.place + 1 < Self.places.count {
                try begin(position.place + 1)
            } else {
                return nil
            }
        }
    }

    private var token: String {
        "\(Self.places[position.place].place.rawValue)/\(position.given)/\(position.file?.description ?? "")"
    }

    private mutating func begin(_ place: Int) throws(SpoolError) {
        position = Position(place: place)
        messages = nil
        files = try reader.entries(in: Self.places[place].place).reversed()
    }

    private mutating func open(_ file: EntryName) throws(SpoolError) {
        position.file = file
        position.given = 0
        messages = try reader.messages(in: Self.places[position.place].place, file.description)
    }
}
