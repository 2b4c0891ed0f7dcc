import Bookings
import Varlink

/// The answers to the requests of a group while it is being judged, and the messages it will be.
struct AcceptanceGroup {
    private enum Answer {
        case accepted(BookingID)
        /// Refused because of a request of this very group, which stands or falls with it.
        case pendingInGroup(BookingID)
        case refused(ErrorReply)
    }

    private let counts: [Int]
    private var decided: [[Answer]]
    private(set) var messages: [Message] = []
    private var claims: [ClaimKey: BookingID] = [:]
    private var failure: ErrorReply?

    /// - Parameter counts: how many requests each submission has.
    init(_ counts: [Int]) {
        self.counts = counts
        decided = Array(repeating: [], count: counts.count)
    }

    /// The request of this group that claims the same user and apartment.
    func claimant(of claim: ClaimKey) -> BookingID? { claims[claim] }

    mutating func accept(_ submission: Int, _ message: Message) {
        messages.append(message)
        claims[message.request.claim] = message.id
        decided[submission].append(.accepted(message.id))
    }

    mutating func refuse(_ submission: Int, _ refusal: ErrorReply) {
        decided[submission].append(.refused(refusal))
    }

    mutating func refuse(_ submission: Int, pendingInGroup id: BookingID) {
        decided[submission].append(.pendingInGroup(id))
    }

    /// The group was not made durable: nothing of it is accepted, and requests that were not judged are refused.
    mutating func fail(with refusal: ErrorReply) { failure = refusal }

    /// The answers of each submission, one a request, in their order.
    var answers: [[Result<BookingID, ErrorReply>]] {
        zip(decided, counts).map { answers, count in
            let known = answers.map(result)
            guard let failure else { return known }
            return known + Array(repeating: .failure(failure), count: count - known.count)
        }
    }

    private func result(_ answer: Answer) -> Result<BookingID, ErrorReply> {
        switch answer {
        case .refused(let refusal):
            return .failure(refusal)
        case .accepted(let id):
            return failure.map { .failure($0) } ?? .success(id)
        case .pendingInGroup(let id):
            let pending = BookingsInterface.PendingBookingExists(bookingId: id.description, progress: .queued)
            return .failure(failure ?? ErrorReply(pending))
        }
    }
}
