import Varlink

// What operators see of the messages that wait.

extension QueueInterface {
    /// Where a message waits.
    public enum Place: String, Codable, Sendable, CaseIterable {
        /// For its first try.
        case incoming = "INCOMING"
        /// In the worker's hands.
        case active = "ACTIVE"
        /// For another try.
        case deferred = "DEFERRED"
    }

    /// A message that waits (`QueuedMessage`).
    public struct QueuedMessage: Codable, Hashable, Sendable {
        /// The booking's id.
        public var id: String
        /// Where it waits.
        public var place: Place
        /// The file that holds it, in the directory of its place.
        public var file: String
        /// When it was accepted.
        public var acceptedOn: Timestamp
        /// How often a worker has received it and could not settle it.
        public var receiveCount: Int
        /// How often an operator has put it back into the queue.
        public var redriveCount: Int
        /// When it is due, if it is deferred.
        public var notBefore: Timestamp?
        /// Who stays.
        public var userId: String
        /// Where.
        public var apartmentId: String
        /// The first day, `YYYY-MM-DD`.
        public var startDate: String
        /// The day of departure, `YYYY-MM-DD`.
        public var endDate: String
        /// The caller's key.
        public var idempotencyKey: String?
        /// The caller's place in a distributed trace.
        public var traceparent: String?
        /// The failed tries so far, oldest first.
        public var attempts: [Attempt]

        /// What `message` says, found in a file of `place`.
        public init(_ message: Message, in place: Place, file: String) {
            let input = message.request.input
            id = message.id.description
            self.place = place
            self.file = file
            acceptedOn = message.acceptedOn
            receiveCount = message.receiveCount
            redriveCount = message.redriveCount
            notBefore = message.notBefore
            userId = input.userId
            apartmentId = input.apartmentId
            startDate = input.startDate
            endDate = input.endDate
            idempotencyKey = input.idempotencyKey
            traceparent = message.traceParent?.description
            attempts = message.attempts
        }
    }

    /// Parameters of ListMessages.
    public struct ListMessages: Codable, Sendable {
        /// Messages a page.
        public var limit: Int?
        /// Where to go on.
        public var nextToken: String?
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable { case limit, nextToken }
        /// Creates the parameters.
        public init(limit: Int? = nil, nextToken: String? = nil) {
            self.limit = limit
            self.nextToken = nextToken
        }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            limit = try fields.integerIfPresent(forKey: .limit)
            nextToken = try fields.decodeIfPresent(String.self, forKey: .nextToken)
        }
    }

    /// Reply of ListMessages.
    public struct MessageList: Codable, Sendable {
        /// The messages.
        public var items: [QueuedMessage]
        /// Where the next page begins; nil after the last.
        public var nextToken: String?
        /// Creates the reply.
        public init(items: [QueuedMessage], nextToken: String?) {
            self.items = items
            self.nextToken = nextToken
        }
    }

    /// What messages are told apart by (`AgeKey`).
    public enum AgeKey: String, Codable, Sendable, CaseIterable {
        /// The booking's apartment.
        case apartment = "APARTMENT"
        /// The booking's user.
        case user = "USER"
        /// The class of a dead letter.
        case `class` = "CLASS"
        /// The reason of a dead letter.
        case reason = "REASON"

        /// Whether only dead letters have it.
        public var isOfLetters: Bool { self == .class || self == .reason }
    }

    /// Parameters of GetAgeProfile.
    public struct GetAgeProfile: Codable, Sendable {
        /// What the rows tell apart.
        public var by: AgeKey
        /// Whether it is about dead letters.
        public var dead: Bool?
        /// Most rows.
        public var limit: Int?
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable { case by, dead, limit }
        /// Creates the parameters.
        public init(by: AgeKey, dead: Bool? = nil, limit: Int? = nil) {
            self.by = by
            self.dead = dead
            self.limit = limit
        }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            by = try fields.decode(AgeKey.self, forKey: .by)
            dead = try fields.decodeIfPresent(Bool.self, forKey: .dead)
            limit = try fields.integerIfPresent(forKey: .limit)
        }
    }

    /// How many messages of a name there are (`AgeRow`).
    public struct AgeRow: Codable, Hashable, Sendable {
        /// The name; nil where it can't be read, and for what is summed up.
        public var name: String?
        /// All of them.
        public var total: Int
        /// By age, youngest first.
        public var counts: [Int]
        /// Creates a row.
        public init(name: String?, total: Int, counts: [Int]) {
            self.name = name
            self.total = total
            self.counts = counts
        }
    }

    /// Reply of GetAgeProfile.
    public struct AgeProfile: Codable, Hashable, Sendable {
        /// The ages between the columns, in seconds.
        public var bounds: [Int]
        /// All messages.
        public var total: AgeRow
        /// The names that have most, in falling order.
        public var rows: [AgeRow]
        /// All other names together; nil when there are none.
        public var others: AgeRow?
        /// Creates the reply.
        public init(bounds: [Int], total: AgeRow, rows: [AgeRow], others: AgeRow?) {
            self.bounds = bounds
            self.total = total
            self.rows = rows
            self.others = others
        }
    }
}
