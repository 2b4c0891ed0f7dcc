import Bookings
import Varlink

/// The answers to the requests of a group while it is being judged, and the messages it will be.
struct AcceptanceGroup {
    private enum Answer {
        /// A message of this very group, which stands or falls with it; the same for several that share a key.
        case accepted(BookingID)
        /// Refused because of a message of this very group, which stands or falls with it.
        case refusedByGroup(ErrorReply)
        /// The message or booking that an earlier call with the same key made.
        case repeated(BookingID)
        case refused(ErrorReply)
    }

    private let counts: [Int]
    private var decided: [[Answer]]
    private(set) var messages: [Message] = []
    private var claims: [ClaimKey: BookingID] = [:]
    private var keys: [ClaimKey: QueuedBooking] = [:]
    private var failure: ErrorReply?

    /// - Parameter counts: how many requests each submission has.
    init(_ counts: [Int]) {
        self.counts = counts
        decided = Array(repeating: [], count: counts.count)
    }

    /// Answers a request whose key a message of this group has.
    ///
    /// - Returns: whether there is one.
    mutating func answerByKey(_ submission: Int, _ request: BookingRequest) -> Bool {
        guard let key = request.keyClaim, let first = keys[key] else { return false }
        let reused = BookingsInterface.IdempotencyKeyReused(bookingId: first.id.description)
        decided[submission].append(
            first.isMade(from: request) ? .accepted(first.id) : .refusedByGroup(ErrorReply(reused)))
        return true
    }

    /// Answers a request whose user and apartment a message of this group claims.
    ///
    /// - Returns: whether there is one.
    mutating func answerByClaim(_ submission: Int, _ request: BookingRequest) -> Bool {
        guard let holder = claims[request.claim] else { return false }
        let pending = BookingsInterface.PendingBookingExists(
            bookingId: holder.description, progress: .queued)
        decided[submission].append(.refusedByGroup(ErrorReply(pending)))
        return true
    }

    mutating func accept(_ submission: Int, _ message: Message) {
        messages.append(message)
        claims[message.request.claim] = message.id
        if let key = message.request.keyClaim { keys[key] = QueuedBooking(message) }
        decided[submission].append(.accepted(message.id))
    }

    /// Answers with what an earlier call with the same key made.
    mutating func `repeat`(_ submission: Int, _ id: BookingID) {
        decided[submission].append(.repeated(id))
    }

    mutating func refuse(_ submission: Int, _ refusal: ErrorReply) {
        decided[submission].append(.refused(refusal))
    }

    /// The group was not made durable: nothing of it is accepted, and requests that were not judged are refused.
    mutating func fail(with refusal: ErrorReply) { failure = refusal }

    /// Whether nothing of it was accepted.
    var hasFailed: Bool { failure != nil }

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
        case .refused(let refusal): .failure(refusal)
        case .repeated(let id): .success(id)
        case .accepted(let id): failure.map { .failure($0) } ?? .success(id)
        case .refusedByGroup(let refusal): .failure(failure ?? refusal)
        }
    }
}
