/// A dead letter with all that is kept of it, as it is moved from one engine to another.
public struct StoredLetter: Hashable, Sendable {
    /// What was set aside.
    public enum Content: Hashable, Sendable {
        /// A booking.
        case message(Message)
        /// What is none, or its beginning; and how long the whole is.
        case bytes([UInt8], size: Int)
    }

    /// The letter's id.
    public var id: BookingID
    /// Why it is one, in a word.
    public var failure: FailureClass
    /// Why it is one, in a sentence.
    public var reason: String
    /// Since when.
    public var deadOn: Timestamp
    /// How often a worker had received it.
    public var receiveCount: Int
    /// How often it had been redriven.
    public var redriveCount: Int
    /// The user, as far as it could be read.
    public var userID: String?
    /// The apartment, as far as it could be read.
    public var apartmentID: String?
    /// Every failed try, oldest first.
    public var attempts: [Attempt]
    /// What was set aside.
    public var content: Content

    /// Creates a letter from its parts.
    public init(
        id: BookingID, failure: FailureClass, reason: String, deadOn: Timestamp, receiveCount: Int,
        redriveCount: Int, userID: String?, apartmentID: String?, attempts: [Attempt], content: Content
    ) {
        self.id = id
        self.failure = failure
        self.reason = reason
        self.deadOn = deadOn
        self.receiveCount = receiveCount
        self.redriveCount = redriveCount
        self.userID = userID
        self.apartmentID = apartmentID
        self.attempts = attempts
        self.content = content
        guard case .message(var message) = content else { return }
        // A letter has one history, its own.
        message.id = id
        message.receiveCount = receiveCount
        message.redriveCount = redriveCount
        message.attempts = attempts
        message.notBefore = nil
        self.content = .message(message)
        self.userID = message.request.userID
        self.apartmentID = message.request.apartmentID
    }

    /// The booking that it holds, if it holds one.
    public var message: Message? {
        if case .message(let message) = content { message } else { nil }
    }

    /// Whether all that was set aside is here, and not only its beginning.
    public var isWhole: Bool {
        if case .bytes(let bytes, let size) = content { bytes.count == size } else { true }
    }
}

extension StoredLetter: TransferRecord {
    /// Takes in all there is.
    public func mix(into hash: inout RecordHash) {
        hash.add("dead")
        for text in [id.description, failure.rawValue, reason] { hash.add(text) }
        hash.add(deadOn)
        hash.add("\(receiveCount) \(redriveCount)")
        hash.add(userID)
        hash.add(apartmentID)
        attempts.mix(into: &hash)
        switch content {
        case .message(let message): message.mixOrigin(into: &hash)
        case .bytes(let bytes, let size):
            hash.add("\(size)")
            hash.add(bytes: bytes)
        }
    }
}
