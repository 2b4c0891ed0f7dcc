import Bookings

/// What acms should be: bookings, where each is, and what follows for a new one. Knows nothing of files, batches or
/// daemons.
struct Model {
    enum State: Equatable {
        /// Accepted and not settled.
        case queued
        case dead
        case committed(BookingStatus)
        /// Its letter was deleted.
        case gone
    }

    struct Entry: Equatable {
        var request: BookingRequest
        var state: State
        let acceptedOn: Timestamp
    }

    /// What must become of a request.
    enum Expectation: Equatable {
        case accepted
        case repeats(BookingID)
        case reused(BookingID)
        case pending(Set<BookingID>)
        case notAvailable(Set<BookingID>)
    }

    private(set) var entries: [BookingID: Entry] = [:]
    private(set) var queued: Set<BookingID> = []
    private(set) var dead: Set<BookingID> = []
    private(set) var pending: Set<BookingID> = []
    private(set) var approved: Set<BookingID> = []
    private var keys: [ClaimKey: BookingID] = [:]

    mutating func add(_ id: BookingID, _ request: BookingRequest, at time: Timestamp) {
        entries[id] = Entry(request: request, state: .queued, acceptedOn: time)
        queued.insert(id)
        if let key = request.keyClaim { keys[key] = id }
    }

    mutating func move(_ id: BookingID, to state: State, request: BookingRequest? = nil) {
        guard var entry = entries[id] else { return }
        for set in [\Model.queued, \Model.dead, \Model.pending, \Model.approved] {
            self[keyPath: set].remove(id)
        }
        if let key = entry.request.keyClaim, keys[key] == id { keys[key] = nil }
        entry.state = state
        entry.request = request ?? entry.request
        entries[id] = entry
        switch state {
        case .queued: queued.insert(id)
        case .dead: dead.insert(id)
        case .committed(.pending): pending.insert(id)
        case .committed(.approved): approved.insert(id)
        case .committed(.cancelled), .gone: break
        }
        if state != .gone, let key = entry.request.keyClaim { keys[key] = id }
    }

    func expectation(for request: BookingRequest) -> Expectation {
        if let key = request.keyClaim, let first = keys[key], let entry = entries[first] {
            let isSame = entry.request.claim == request.claim && entry.request.stay == request.stay
            return isSame ? .repeats(first) : .reused(first)
        }
        let holders = [queued, dead, pending].joined().filter { entries[$0]?.request.claim == request.claim }
        if !holders.isEmpty { return .pending(Set(holders)) }
        let taken = overlapping(request, among: approved)
        return taken.isEmpty ? .accepted : .notAvailable(taken)
    }

    /// Whether the table would refuse what a letter asks for.
    ///
    /// - Parameter alsoForQueue: whether what is in the queue stands against it as well. The embedded worker leaves that
    ///   to be found when the message is committed.
    func refusesRedrive(of id: BookingID, _ request: BookingRequest, alsoForQueue: Bool) -> Bool {
        if alsoForQueue {
            if let key = request.keyClaim, let first = keys[key], first != id { return true }
            if [queued, dead].joined().contains(where: {
                $0 != id && entries[$0]?.request.claim == request.claim
            }) {
                return true
            }
        }
        if let key = request.keyClaim, let first = keys[key], first != id, isCommitted(first) { return true }
        if pending.contains(where: { $0 != id && entries[$0]?.request.claim == request.claim }) {
            return true
        }
        return !overlapping(request, among: approved).isEmpty
    }

    /// What an approval of this PENDING booking cancels; nil when it must be refused.
    func cancelledByApproval(of id: BookingID) -> Set<BookingID>? {
        guard let request = entries[id]?.request, overlapping(request, among: approved).isEmpty else {
            return nil
        }
        return overlapping(request, among: pending).subtracting([id])
    }

    private func isCommitted(_ id: BookingID) -> Bool {
        if case .committed = entries[id]?.state { return true }
        return false
    }

    private func overlapping(_ request: BookingRequest, among ids: Set<BookingID>) -> Set<BookingID> {
        ids.filter { id in
            guard let other = entries[id]?.request else { return false }
            return other.apartmentID == request.apartmentID && other.stay.start < request.stay.end
                && request.stay.start < other.stay.end
        }
    }
}
