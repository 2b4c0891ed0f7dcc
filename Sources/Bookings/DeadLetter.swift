import Varlink

/// A message that was set aside (`DeadLetter` of io.acms.Queue).
public struct DeadLetter: Codable, Hashable, Sendable {
    /// The id that the message names, or the one derived from where it was found.
    public var id: String
    /// Why it is here, in a word.
    public var `class`: FailureClass
    /// Why it is here, in a sentence.
    public var reason: String
    /// Since when.
    public var deadOn: Timestamp
    /// How often a worker had received it.
    public var receiveCount: Int
    /// The user, as far as it could be read.
    public var userId: String?
    /// The apartment, as far as it could be read.
    public var apartmentId: String?
    /// Every failed try, oldest first.
    public var attempts: [Attempt]
    /// What was received: text, or base64 when `bodyIsBase64`.
    public var body: String
    /// Whether `body` is in base64, because the bytes are no UTF-8.
    public var bodyIsBase64: Bool
    /// Length of the whole body in bytes.
    public var bodySize: Int?
    /// Whether `body` holds only the beginning.
    public var bodyIsTruncated: Bool?
    /// The name in the spool's `dead/` that has the body, when it is kept beside the letter.
    public var bodyFile: String?
    /// How often it was put back into the queue before.
    public var redriveCount: Int?

    /// Creates a letter from its fields.
    public init(
        id: String, class: FailureClass, reason: String, deadOn: Timestamp, receiveCount: Int,
        userId: String?,
        apartmentId: String?, attempts: [Attempt], body: String, bodyIsBase64: Bool, bodySize: Int?,
        bodyIsTruncated: Bool?, bodyFile: String?, redriveCount: Int? = nil
    ) {
        self.id = id
        self.class = `class`
        self.reason = reason
        self.deadOn = deadOn
        self.receiveCount = receiveCount
        self.userId = userId
        self.apartmentId = apartmentId
        self.attempts = attempts
        self.body = body
        self.bodyIsBase64 = bodyIsBase64
        self.bodySize = bodySize
        self.bodyIsTruncated = bodyIsTruncated
        self.bodyFile = bodyFile
        self.redriveCount = redriveCount
    }
}

extension DeadLetter {
    /// What tells it from others by `key`.
    package func name(for key: QueueInterface.AgeKey) -> String? {
        switch key {
        case .apartment: apartmentId
        case .user: userId
        case .class: self.class.rawValue
        case .reason: reason
        }
    }
}

/// Which dead letters: all that is given must hold.
public struct DeadLetterFilter: Codable, Hashable, Sendable {
    /// Of this class.
    public var `class`: FailureClass?
    /// With this text in the reason, byte for byte.
    public var reasonContains: String?
    /// Of this user.
    public var userId: String?
    /// Of this apartment.
    public var apartmentId: String?
    /// Set aside before this time.
    public var deadBefore: Timestamp?

    /// The fields, all that may be given.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case `class`, reasonContains, userId, apartmentId, deadBefore
    }

    /// Creates a filter.
    public init(
        class: FailureClass? = nil, reasonContains: String? = nil, userId: String? = nil,
        apartmentId: String? = nil, deadBefore: Timestamp? = nil
    ) {
        self.class = `class`
        self.reasonContains = reasonContains
        self.userId = userId
        self.apartmentId = apartmentId
        self.deadBefore = deadBefore
    }

    /// Decodes a filter; unknown fields are refused.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.class = try fields.decodeIfPresent(FailureClass.self, forKey: .class)
        reasonContains = try fields.decodeIfPresent(String.self, forKey: .reasonContains)
        userId = try fields.decodeIfPresent(String.self, forKey: .userId)
        apartmentId = try fields.decodeIfPresent(String.self, forKey: .apartmentId)
        deadBefore = try fields.decodeIfPresent(Timestamp.self, forKey: .deadBefore)
    }
}
