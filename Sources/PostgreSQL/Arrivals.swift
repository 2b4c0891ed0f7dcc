import Bookings

/// Messages in the order in which they came. Each is judged as if they had come one after the other, though as many as
/// possible are tried at once.
struct Arrivals {
    private let messages: [Message]
    /// How many more may be had.
    private var room: Int
    /// What became of each; nil as long as that isn't known.
    private(set) var verdicts: [SharedVerdict?]
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

    /// Those to be tried next.
    var candidates: [Message] { tried.map { messages[$0] } }

    /// Those that aren't judged.
    var open: [Message] { openNumbers.map { messages[$0] } }

    private var openNumbers: [Int] { verdicts.indices.filter { verdicts[$0] == nil } }

    /// Learns which of the tried ones were taken. That judges those behind them as well.
    mutating func note(accepted: Set<BookingID>) {
        for number in tried {
            if accepted.contains(messages[number].id) {
                verdicts[number] = .accepted
            } else {
                room += 1
            }
        }
        for (number, first, hold) in behind where verdicts[first] == .accepted {
            let (request, other) = (messages[number].request, messages[first])
            verdicts[number] =
                switch hold {
                case .id: request.isSame(as: other.request) ? .accepted : .idTaken
                case .key: request.isSame(as: other.request) ? .repeats(other.id) : .keyReused(other.id)
                case .claim: .pendingExists(other.id, .queued)
                }
        }
        tried = []
        behind = []
    }

    /// Learns what stands against each of the open ones now, and finds those that can be had.
    mutating func note(_ objections: [Objection?]) {
        var wanted: [Hold: Int] = [:]
        for (number, objection) in zip(openNumbers, objections) {
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

extension BookingRequest {
    fileprivate func isSame(as other: BookingRequest) -> Bool {
        userID.utf8.elementsEqual(other.userID.utf8)
            && apartmentID.utf8.elementsEqual(other.apartmentID.utf8) && stay == other.stay
    }
}
