import Bookings

/// Messages in the order in which they came. Each is judged as if they had come one after the other, though as many as
/// possible are tried at once.
struct Arrivals {
    private let messages: [Message]
    /// How many more may be had.
    private var room: Int
    /// What became of each; nil as long as that isn't known.
    private var verdicts: [SharedVerdict?]
    /// The numbers of those to be tried next: none wants what another of them wants.
    private var tried: [Int] = []
    /// Those that give way to one that is tried, and in what.
    private var behind: [(number: Int, first: Int, hold: Hold)] = []

    /// - Parameters:
    ///   - messages: in their order.
    ///   - room: how many of them may be had.
    init(_ messages: [Message], room: Int = .max) {
        self.messages = messages
        self.room = room
        verdicts = Array(repeating: nil, count: messages.count)
        // Where there is not enough for all, it is looked first for whom there needn't be any.
        guard room >= messages.count else { return }
        // Of one that wants what an earlier one wants it isn't known what it is to get before that one is judged.
        var wanted: Set<Hold> = []
        for (number, message) in messages.enumerated() {
            let holds = message.holds
            if wanted.isDisjoint(with: holds) { tried.append(number) }
            wanted.formUnion(holds)
        }
        self.room -= tried.count
    }

    /// Mostly the second has all that the first was not sure of. Others can be in the way of each.
    private static let rounds = 8

    /// Judges all of them.
    ///
    /// - Parameters:
    ///   - insert: takes those of some messages that can be had; tells which.
    ///   - ignored: what stands against none of them.
    /// - Returns: what became of each; nil when others were in the way again and again.
    mutating func judged(
        on connection: Connection, ignoring ignored: Objection.Kind? = nil,
        insert: ([Message]) throws(DatabaseTrouble) -> Set<BookingID>
    ) throws(DatabaseTrouble) -> [SharedVerdict]? {
        for _ in 0..<Self.rounds {
            if !tried.isEmpty { note(accepted: try insert(tried.map { messages[$0] })) }
            let open = verdicts.indices.filter { verdicts[$0] == nil }
            if open.isEmpty { break }
            let found = try Objection.first(
                against: open.map { (messages[$0].id, messages[$0].request) }, withQueue: true, connection)
            note(found.map { $0?.kind == ignored ? nil : $0 }, on: open)
        }
        let decided = verdicts.compactMap(\.self)
        return decided.count == messages.count ? decided : nil
    }

    /// Learns which of the tried ones were taken. That judges those behind them as well.
    private mutating func note(accepted: Set<BookingID>) {
        for number in tried {
            if accepted.contains(messages[number].id) {
                verdicts[number] = .accepted
            } else {
                room += 1
            }
        }
        for (number, first, hold) in behind where verdicts[first] == .accepted {
            let (request, other) = (messages[number].request, messages[first])
            let isSame = request.claim == other.request.claim && request.stay == other.request.stay
            verdicts[number] =
                switch hold {
                case .id: isSame ? .accepted : .idTaken
                case .key: isSame ? .repeats(other.id) : .keyReused(other.id)
                case .claim: .pendingExists(other.id, .queued)
                }
        }
        tried = []
        behind = []
    }

    /// Learns what stands against each of the open ones now, and finds those that can be had.
    private mutating func note(_ objections: [Objection?], on open: [Int]) {
        var wanted: [Hold: Int] = [:]
        for (number, objection) in zip(open, objections) {
            let message = messages[number]
            let before = message.holds.first { hold in
                wanted[hold] != nil && objection.map { $0.kind.yields(to: hold) } ?? true
            }
            if let before, let first = wanted[before] {
                behind.append((number, first, before))
            } else if let objection {
                verdicts[number] = objection.verdict(on: message.request)
            } else if room == 0 {
                verdicts[number] = .full
            } else {
                room -= 1
                tried.append(number)
                for hold in message.holds { wanted[hold] = number }
            }
        }
    }
}

/// What a message takes up that no other can have beside it.
enum Hold: Hashable {
    case id(BookingID)
    /// Its user's idempotency key.
    case key(ClaimKey)
    /// The place of the one undecided booking of its user and apartment.
    case claim(ClaimKey)
}

extension Message {
    /// What it takes up; that first which decides first.
    var holds: [Hold] {
        [.id(id)] + (request.keyClaim.map { [.key($0)] } ?? []) + [.claim(request.claim)]
    }
}
