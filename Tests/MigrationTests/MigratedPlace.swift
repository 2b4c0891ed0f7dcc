import BookingTable
import Bookings
import Foundation
import PostgreSQL
import Spool
import Support
import Varlink

/// A host's spool and table, and a schema of the tests' database.
struct MigratedPlace {
    let directory: TemporaryDirectory
    let server: PostgresServer
    let schema: String

    static let now = Timestamp(milliseconds: 1_795_000_000_123)

    let database: String

    /// - Parameters:
    ///   - schema: another's; by default one of its own.
    ///   - database: by default the one that all share.
    init(schema: String? = nil, database: String = "postgres") async throws {
        server = try PostgresServer.shared()
        self.database = database
        directory = try TemporaryDirectory()
        self.schema = schema ?? server.freshSchema()
        try FileManager.default.createDirectory(
            atPath: "\(directory.path)/table", withIntermediateDirectories: false)
    }

    var tablePath: String { "\(directory.path)/table/acms.sqlite" }
    var spool: SpoolDirectory { SpoolDirectory(root: "\(directory.path)/spool") }

    /// Runs the verb.
    func migrate(
        to engine: String, _ options: String..., environment: [String: String] = [:], url: String? = nil
    ) async throws -> Command {
        try await acmsctl(
            ["migrate", "--to", engine] + options,
            environment: environment.merging(url.map { ["ACMS_POSTGRES_URL": $0] } ?? [:]) { $1 })
    }

    func acmsctl(_ arguments: [String], environment: [String: String] = [:]) async throws -> Command {
        try await Command.run(
            [Site.products.appendingPathComponent("acmsctl").path] + arguments,
            environment: [
                "PATH": "/usr/bin:/bin", "ACMS_SPOOL_DIRECTORY": spool.root, "ACMS_TABLE_PATH": tablePath,
                "ACMS_POSTGRES_URL": server.url(of: database), "ACMS_POSTGRES_SCHEMA": schema,
            ].merging(environment) { $1 })
    }

    func run(_ sql: String) async throws -> [String] {
        try await server.run(sql, schema: schema, database: database)
    }

    // MARK: - Contents

    /// All that an engine keeps.
    struct Contents: Equatable {
        var bookings: [String: StoredBooking] = [:]
        var messages: [BookingID: StoredMessage] = [:]
        var letters: [BookingID: StoredLetter] = [:]
        var pause: QueuePause?
        var totals: [Int] = []
    }

    func embedded() throws -> Contents {
        var contents = Contents()
        let table = try TransferTable(path: tablePath)
        try table.openForReading()
        for booking in try table.bookings(after: nil, limit: 100_000) {
            contents.bookings[booking.booking.id] = booking
        }
        contents.totals = [try table.totals().committed, try table.totals().deadLettered]
        let queue = try TransferSpool(reading: spool)
        try queue.forEachMessages(upTo: 7) {
            for stored in $0 { contents.messages[stored.message.id] = stored }
        }
        try queue.forEachLetters(upTo: 2) { for letter in $0 { contents.letters[letter.id] = letter } }
        contents.pause = try queue.pause()
        return contents
    }

    func postgres() throws -> Contents {
        var settings = Settings.Postgres()
        settings.url = server.url(of: database)
        settings.schema = schema
        let database = try TransferDatabase(
            DatabaseTarget(settings, program: "tests", credentials: nil), isReading: true)
        var contents = Contents()
        for booking in try database.bookings(after: nil, limit: 100_000) {
            contents.bookings[booking.booking.id] = booking
        }
        for stored in try database.messages(after: nil, limit: 100_000) {
            contents.messages[stored.message.id] = stored
        }
        for letter in try database.letters(after: nil, limit: 100_000) {
            contents.letters[letter.id] = letter
        }
        contents.pause = try database.pause()
        contents.totals = [try database.totals().committed, try database.totals().deadLettered]
        return contents
    }

    // MARK: - Filling

    /// A message whose id begins with its number.
    static func message(
        _ number: Int, user: String? = nil, apartment: String = "A-1", from: String = "2027-01-01",
        to: String = "2027-01-05", key: String? = nil
    ) throws -> Message {
        let digits = String(number, radix: 16)
        let id =
            "0199" + String(repeating: "0", count: 4 - digits.count) + digits + "-0000-7000-8000-000000000000"
        guard let id = BookingID(id) else { throw CocoaError(.coderInvalidValue) }
        return Message(
            id: id, acceptedOn: now.advanced(by: .milliseconds(number)),
            peer: number % 2 == 0 ? Peer(uid: 1000, gid: 1001, pid: 4711) : nil,
            request: try BookingRequest(
                CreateBookingInput(
                    userId: user ?? "user \"\(number)\" \\ é", apartmentId: apartment, startDate: from,
                    endDate: to, idempotencyKey: key)),
            traceParent: number % 3 == 0
                ? TraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") : nil)
    }

    /// Commits bookings.
    func commit(_ messages: [Message]) throws {
        let table = SQLiteTable(path: tablePath)
        for start in stride(from: 0, to: messages.count, by: 500) {
            _ = try table.apply(Array(messages[start...].prefix(500)), deadLettered: 0)
        }
    }

    /// Decides about one.
    func approve(_ message: Message) throws {
        _ = try SQLiteTable(path: tablePath).approve(message.id, at: Self.now.advanced(by: .seconds(60)))
    }

    /// Something of each kind, and so many bookings.
    func fill(bookings: Int = 30) throws {
        let messages = try (0..<bookings).map {
            try Self.message($0, apartment: "A-\($0)", key: $0 % 4 == 0 ? "key \($0)" : nil)
        }
        try commit(messages)
        let table = SQLiteTable(path: tablePath)
        for (number, message) in messages.enumerated().prefix(30) {
            let time = Self.now.advanced(by: .seconds(60 + number))
            switch number % 3 {
            case 1: _ = try table.approve(message.id, at: time)
            case 2: _ = try table.cancel(message.id, at: time)
            default: break
            }
        }
        try fillSpool()
        _ = try table.apply([], deadLettered: 3)
    }

    /// Messages that wait, one of them in the journal alone, and letters.
    private func fillSpool() throws {
        let producer = SpoolProducer(spool)
        try producer.prepare()
        let messages = try (0x9000..<0x9020).map {
            try Self.message($0, apartment: "Q-\($0)", key: $0 % 2 == 0 ? "queued \($0)" : nil)
        }
        for group in [messages[0..<8], messages[8..<9], messages[9..<32]] {
            try producer.enqueue(Array(group))
        }
        // Never renamed after a power cut.
        try FileManager.default.removeItem(
            atPath: "\(spool.root)/incoming/\(messages[8].id).1.jsonl")
        let unreadable: [UInt8] =
            Array("{\"input\":{\"userId\":\"u\",".utf8) + [0xff, 0x00] + Array("\n".utf8)
        try Data(unreadable + Array("[]\n".utf8)).write(
            to: URL(fileURLWithPath: "\(spool.root)/incoming/0190-by-hand.jsonl"))
        var consumer = SpoolConsumer(spool)
        try consumer.start(at: Self.now)
        try consumer.scan()
        let received = try consumer.receive(upTo: 10, at: Self.now)
        let failure = Attempt(on: Self.now, class: Attempt.failed, reason: "It failed; \"really\".")
        let crash = Attempt(on: Self.now, class: Attempt.crash, reason: "The worker died.")
        let settlements = received.enumerated().map { number, one -> (Receipt, Settlement) in
            switch (try? one.content.get(), number) {
            case (nil, _):
                return (one.receipt, .dead(.poison, reason: "Poison.", attempts: [failure], receiveCount: 1))
            case (var message?, 2...4):
                message.receiveCount = number
                message.attempts = number == 4 ? [failure, crash] : [failure]
                message.notBefore = Self.now.advanced(by: .seconds(number))
                return (one.receipt, .deferred(message))
            case (_?, 5):
                return (
                    one.receipt,
                    .dead(.exhausted, reason: "Too often.", attempts: [failure, failure], receiveCount: 10)
                )
            case (_?, _):
                return (one.receipt, .dead(.crash, reason: "Deadly.", attempts: [crash], receiveCount: 3))
            }
        }
        try consumer.settle(settlements, at: Self.now)
        // One of the letters waits again.
        let redriven = try consumer.redrivable(messages[3].id, matching: nil, replacing: nil)
        try consumer.redrive([redriven], as: try Self.message(0x9999).id)
        try consumer.setPause(
            QueuePause(until: Self.now.advanced(by: .seconds(9e8)), since: Self.now, uid: 12))
        try consumer.release()
    }
}
