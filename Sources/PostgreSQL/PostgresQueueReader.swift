public import Bookings
import Spool

/// The queue in the database, to look at.
public struct PostgresQueueReader: BookingQueueReader {
    private let link: DatabaseLink

    /// Reads through `link`.
    public init(_ link: DatabaseLink) {
        self.link = link
    }

    /// A page of letters in order of id, after `token`.
    public func letters(matching filter: DeadLetterFilter?, limit: Int, after token: String?) throws -> (
        items: [DeadLetter], nextToken: String?
    ) {
        let last = try token.map { token throws(InvalidPageToken) in
            guard let id = BookingID(token) else { throw InvalidPageToken() }
            return id
        }
        let found = try use { (connection) throws(DatabaseTrouble) in
            try LetterRow.page(
                after: last, matching: filter, limit: limit + 1, bodyBytes: DeadLetterStore.listedBodyBytes,
                connection)
        }
        let items = found.prefix(limit).map(\.letter)
        return (items, found.count > limit ? items.last?.id : nil)
    }

    /// One letter with its body.
    public func letter(_ id: BookingID) throws(QueueUnavailable) -> DeadLetter? {
        try use { (connection) throws(DatabaseTrouble) in
            try LetterRow.stored(id, matching: nil, bodyBytes: DeadLetterStore.shownBodyBytes, connection)?
                .letter
        }
    }

    /// The ids of up to `limit` letters that match `filter`.
    public func letterIDs(
        matching filter: DeadLetterFilter, limit: Int, after last: BookingID?
    ) throws(QueueUnavailable) -> [BookingID] {
        try use { (connection) throws(DatabaseTrouble) in
            try LetterRow.page(after: last, matching: filter, limit: limit, bodyBytes: 0, connection)
                .compactMap { BookingID($0.letter.id) }
        }
    }

    /// The messages that wait, those in hand first.
    public func messages(after token: String?) throws -> any QueuePages {
        try Pages(link: link, after: token)
    }

    /// Counts what waits, or the dead letters, by name and age.
    public func ages(by key: QueueInterface.AgeKey, dead: Bool) -> any QueueAges {
        Ages(link: link, key: key, dead: dead)
    }

    /// Whether the committing is paused.
    public func isPaused() throws(QueueUnavailable) -> Bool {
        try use { (connection) throws(DatabaseTrouble) in
            try connection.run(
                Statement("SELECT NOT \(PostgresConsumer.isRunning("statement_timestamp()")) FROM control")
            ).first?.flag(0) ?? false
        }
    }

    private func use<R>(_ body: (Connection) throws(DatabaseTrouble) -> R) throws(QueueUnavailable) -> R {
        do {
            return try link.reading(body)
        } catch {
            throw error.ofQueue
        }
    }
}

/// What waits, page by page: those in hand, those that wait for their first try, and the deferred ones, each in the order
/// of their ids.
private struct Pages: QueuePages {
    private static let places = QueueInterface.Place.allCases.sorted { rank($0) < rank($1) }

    private let link: DatabaseLink
    private var rank: Int
    private var last: BookingID?

    private static func rank(_ place: QueueInterface.Place) -> Int {
        switch place {
        case .active: 0
        case .incoming: 1
        case .deferred: 2
        }
    }

    init(link: DatabaseLink, after token: String?) throws(InvalidPageToken) {
        self.link = link
        rank = 0
        guard let token else { return }
        let parts = token.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let rank = Int(parts[0]), (0...2).contains(rank) else {
            throw InvalidPageToken()
        }
        last = BookingID(parts[1])
        // Where a place was at its end, nothing of the next one was given.
        guard last != nil || parts[1].isEmpty else { throw InvalidPageToken() }
        self.rank = rank
    }

    mutating func next(_ limit: Int) throws(QueueUnavailable) -> QueueInterface.MessageList {
        var items: [QueueInterface.QueuedMessage] = []
        do {
            while rank < Self.places.count {
                let place = Self.places[rank]
                let left = limit - items.count
                let rows = try link.reading { (connection) throws(DatabaseTrouble) in
                    try connection.run(
                        Statement(
                            """
                            SELECT \(MessageRow.columns) FROM messages m WHERE \(Self.condition(place))
                              AND ($1::uuid IS NULL OR m.id > $1::uuid) ORDER BY m.id LIMIT $2
                            """, [.optional(last?.description), .number(left + 1)]))
                }
                for row in rows.all where items.count < limit {
                    let message = try MessageRow.message(in: row)
                    items.append(.init(message, in: place, file: ""))
                    last = message.id
                }
                if rows.count > left {
                    return .init(items: items, nextToken: "\(rank)/\(last?.description ?? "")")
                }
                rank += 1
                last = nil
            }
        } catch {
            throw error.ofQueue
        }
        return .init(items: items, nextToken: nil)
    }

    private static func condition(_ place: QueueInterface.Place) -> String {
        let isInHand = "(m.leased_until IS NOT NULL AND m.leased_until >= statement_timestamp())"
        return switch place {
        case .active: "m.place <> 'DEAD' AND \(isInHand)"
        case .incoming: "m.place = 'QUEUED' AND NOT \(isInHand)"
        case .deferred: "m.place = 'DEFERRED' AND NOT \(isInHand)"
        }
    }
}

private struct Ages: QueueAges {
    let link: DatabaseLink
    let key: QueueInterface.AgeKey
    let dead: Bool
    private var last: BookingID?

    private static let portion = 10_000

    init(link: DatabaseLink, key: QueueInterface.AgeKey, dead: Bool) {
        self.link = link
        self.key = key
        self.dead = dead
    }

    mutating func countMore(into tally: inout AgeTally) throws(QueueUnavailable) -> Bool {
        do {
            let rows = try link.reading { (connection) throws(DatabaseTrouble) in
                try connection.run(
                    Statement(
                        """
                        SELECT id, \(column), \(MessageRow.time(dead ? "dead_on" : "accepted_on")) FROM messages
                        WHERE place \(dead ? "=" : "<>") 'DEAD' AND ($1::uuid IS NULL OR id > $1::uuid)
                        ORDER BY id LIMIT \(Self.portion)
                        """, [.optional(last?.description)]))
            }
            for row in rows.all {
                last = try row.id(0)
                tally.count(row.optionalText(1), since: try row.time(2))
            }
            return rows.count == Self.portion
        } catch {
            throw error.ofQueue
        }
    }

    private var column: String {
        switch key {
        case .apartment: "apartment_id"
        case .user: "user_id"
        case .class: "class"
        case .reason: "reason"
        }
    }
}
