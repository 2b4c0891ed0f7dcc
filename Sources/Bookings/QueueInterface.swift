public import Varlink

/// The typed form of io.acms.Queue; `io.acms.Queue.varlink` is its source of truth.
public enum QueueInterface {
    /// The interface's name.
    public static let name = "io.acms.Queue"
    /// The interface file, word for word.
    public static let description = String(decoding: PackageResources.io_acms_Queue_varlink, as: UTF8.self)

    /// The full name of a method.
    public static func method(_ name: String) -> String { "\(Self.name).\(name)" }

    /// Reply of GetQueueAttributes: counts of messages.
    public struct Attributes: Codable, Hashable, Sendable {
        /// Accepted, not yet received.
        public var incoming: Int
        /// Received by the worker, not yet settled.
        public var active: Int
        /// Waiting for another try.
        public var deferred: Int
        /// Set aside.
        public var dead: Int
        /// Age of the oldest message that waits, in seconds; nil when none does.
        public var oldestSeconds: Int?
        /// Messages committed since the table was created.
        public var committedTotal: Int
        /// Messages dead-lettered since the table was created.
        public var deadLetteredTotal: Int
        /// Whether committing is stopped.
        public var paused: Bool
        /// Until when.
        public var pausedUntil: Timestamp?
        /// Whether the table can be used.
        public var tableAvailable: Bool
        /// Why not.
        public var tableError: String?

        /// Creates the reply.
        public init(
            incoming: Int, active: Int, deferred: Int, dead: Int, oldestSeconds: Int?, committedTotal: Int,
            deadLetteredTotal: Int, paused: Bool, pausedUntil: Timestamp?, tableAvailable: Bool,
            tableError: String?
        ) {
            self.incoming = incoming
            self.active = active
            self.deferred = deferred
            self.dead = dead
            self.oldestSeconds = oldestSeconds
            self.committedTotal = committedTotal
            self.deadLetteredTotal = deadLetteredTotal
            self.paused = paused
            self.pausedUntil = pausedUntil
            self.tableAvailable = tableAvailable
            self.tableError = tableError
        }
    }

    /// Parameters of ListDeadLetters.
    public struct ListDeadLetters: Codable, Sendable {
        /// Which letters; all when nil.
        public var filter: DeadLetterFilter?
        /// Letters a page.
        public var limit: Int?
        /// Where to go on.
        public var nextToken: String?
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable { case filter, limit, nextToken }
        /// Creates the parameters.
        public init(filter: DeadLetterFilter? = nil, limit: Int? = nil, nextToken: String? = nil) {
            self.filter = filter
            self.limit = limit
            self.nextToken = nextToken
        }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            filter = try fields.decodeIfPresent(DeadLetterFilter.self, forKey: .filter)
            limit = try fields.integerIfPresent(forKey: .limit)
            nextToken = try fields.decodeIfPresent(String.self, forKey: .nextToken)
        }
    }

    /// Reply of ListDeadLetters.
    public struct DeadLetterList: Codable, Sendable {
        /// The letters, oldest first.
        public var items: [DeadLetter]
        /// Where the next page begins; nil after the last.
        public var nextToken: String?
        /// Creates the reply.
        public init(items: [DeadLetter], nextToken: String?) {
            self.items = items
            self.nextToken = nextToken
        }
    }

    /// Parameters of GetDeadLetter.
    public typealias ByID = BookingsInterface.ByID

    /// Reply of GetDeadLetter.
    public struct OneDeadLetter: Codable, Sendable {
        /// The letter.
        public var letter: DeadLetter
        /// Creates the reply.
        public init(letter: DeadLetter) { self.letter = letter }
    }

    /// Parameters of RedriveDeadLetters.
    public struct RedriveDeadLetters: Codable, Sendable {
        /// These letters.
        public var ids: [String]?
        /// Those of all letters, or of `ids`, that match.
        public var filter: DeadLetterFilter?
        /// Most letters in a second; as fast as possible when nil.
        public var maxPerSecond: Int?
        /// Whether only to tell what would be done.
        public var dryRun: Bool?
        /// What to book instead; for one letter only.
        public var input: CreateBookingInput?
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable {
            case ids, filter, maxPerSecond, dryRun, input
        }
        /// Creates the parameters.
        public init(
            ids: [String]? = nil, filter: DeadLetterFilter? = nil, maxPerSecond: Int? = nil,
            dryRun: Bool? = nil, input: CreateBookingInput? = nil
        ) {
            self.ids = ids
            self.filter = filter
            self.maxPerSecond = maxPerSecond
            self.dryRun = dryRun
            self.input = input
        }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            ids = try fields.decodeIfPresent([String].self, forKey: .ids)
            filter = try fields.decodeIfPresent(DeadLetterFilter.self, forKey: .filter)
            maxPerSecond = try fields.integerIfPresent(forKey: .maxPerSecond)
            dryRun = try fields.decodeIfPresent(Bool.self, forKey: .dryRun)
            input = try fields.decodeIfPresent(CreateBookingInput.self, forKey: .input)
        }
    }

    /// Reply of RedriveDeadLetters; with `more`, each tells of the letters since the one before.
    public struct Redriven: Codable, Hashable, Sendable {
        /// The ids that are in the queue again.
        public var redriven: [String]
        /// The letters that stay, and why.
        public var failed: [LetterFailure]
        /// Creates the reply.
        public init(redriven: [String], failed: [LetterFailure]) {
            self.redriven = redriven
            self.failed = failed
        }
    }

    /// Parameters of DeleteDeadLetters.
    public struct DeleteDeadLetters: Codable, Sendable {
        /// These letters.
        public var ids: [String]?
        /// Those of all letters, or of `ids`, that match.
        public var filter: DeadLetterFilter?
        /// Whether only to tell what would be done.
        public var dryRun: Bool?
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable { case ids, filter, dryRun }
        /// Creates the parameters.
        public init(ids: [String]? = nil, filter: DeadLetterFilter? = nil, dryRun: Bool? = nil) {
            self.ids = ids
            self.filter = filter
            self.dryRun = dryRun
        }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            ids = try fields.decodeIfPresent([String].self, forKey: .ids)
            filter = try fields.decodeIfPresent(DeadLetterFilter.self, forKey: .filter)
            dryRun = try fields.decodeIfPresent(Bool.self, forKey: .dryRun)
        }
    }

    /// Reply of DeleteDeadLetters.
    public struct Deleted: Codable, Hashable, Sendable {
        /// The ids of the letters that are gone.
        public var deleted: [String]
        /// The letters that stay, and why.
        public var failed: [LetterFailure]
        /// Creates the reply.
        public init(deleted: [String], failed: [LetterFailure]) {
            self.deleted = deleted
            self.failed = failed
        }
    }

    /// What went wrong with one letter (`Failure`).
    public struct LetterFailure: Codable, Hashable, Sendable {
        /// The letter's id.
        public var id: String
        /// The full name of an error.
        public var error: String
        /// Why, and what to do.
        public var reason: String
        /// Describes a failure.
        public init(id: String, error: String, reason: String) {
            self.id = id
            self.error = error
            self.reason = reason
        }
    }

    /// Parameters of Pause.
    public struct Pause: Codable, Sendable {
        /// When committing goes on by itself; nil for when it is resumed.
        public var until: Timestamp?
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable { case until }
        /// Creates the parameters.
        public init(until: Timestamp? = nil) { self.until = until }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            until = try fields.decodeIfPresent(Timestamp.self, forKey: .until)
        }
    }

    /// No dead letter has this id.
    public struct DeadLetterNotFound: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = QueueInterface.method("DeadLetterNotFound")
        /// The id asked for.
        public var id: String
        /// Creates the error.
        public init(id: String) { self.id = id }
    }

    /// The spool can't be used at present.
    public struct StorageUnavailable: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = QueueInterface.method("StorageUnavailable")
        /// What can't be used, and why.
        public var reason: String
        /// Creates the error.
        public init(reason: String) { self.reason = reason }
    }
}
