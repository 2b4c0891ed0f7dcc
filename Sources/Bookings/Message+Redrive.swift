extension Message {
    /// The message that a dead letter would be in the queue: its id and history, a fresh receive count.
    ///
    /// - Parameters:
    ///   - held: what the letter holds.
    ///   - deadOn: since when it is one.
    ///   - redriveCount: how often it had been redriven when it died.
    ///   - input: what to book instead; nil for what the letter holds.
    package init(
        redriving held: Result<Message, Poison>, of id: BookingID, deadOn: Timestamp, attempts: [Attempt],
        redriveCount: Int, replacing input: CreateBookingInput?
    ) throws(RedriveObstacle) {
        switch (held, input) {
        case (.success(let original), nil):
            self = original
        case (.success(let original), let input?):
            self = original
            request = try Self.request(input, keepingKeyOf: original.request)
        case (.failure(let poison), nil):
            throw .invalid(reason: poison.reason)
        case (.failure, let input?):
            self.init(
                id: id, acceptedOn: deadOn, peer: nil, request: try Self.request(input, keepingKeyOf: nil))
        }
        self.id = id
        if let trace = input?.traceParent { traceParent = trace }
        receiveCount = 0
        notBefore = nil
        self.attempts = attempts
        self.redriveCount = redriveCount + 1
    }

    private static func request(
        _ input: CreateBookingInput, keepingKeyOf original: BookingRequest?
    ) throws(RedriveObstacle) -> BookingRequest {
        var input = input
        if input.idempotencyKey == nil, let original,
            original.userID.utf8.elementsEqual(input.userId.utf8)
        {
            input.idempotencyKey = original.idempotencyKey
        }
        do {
            return try BookingRequest(input)
        } catch {
            throw .invalid(reason: "The booking is not valid: \(error.field) \(error.reason).")
        }
    }
}
