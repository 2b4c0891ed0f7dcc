import Bookings

/// What the front knows of a message in the queue.
struct QueuedBooking: Hashable {
    let id: BookingID
    let claim: ClaimKey
    let stay: Stay
    /// The user and the idempotency key.
    let key: ClaimKey?

    init(_ message: Message) {
        self.init(id: message.id, message.request)
    }

    init(id: BookingID, _ request: BookingRequest) {
        self.init(id: id, claim: request.claim, stay: request.stay, key: request.keyClaim)
    }

    init(id: BookingID, claim: ClaimKey, stay: Stay, key: ClaimKey?) {
        self.id = id
        self.claim = claim
        self.stay = stay
        self.key = key
    }

    /// Whether this is what became of `request`, if both have the same key.
    func isMade(from request: BookingRequest) -> Bool { claim == request.claim && stay == request.stay }
}
