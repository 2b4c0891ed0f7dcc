import Bookings
import Foundation
import Support

@testable import Front
@testable import PostgreSQL
@testable import Spool
@testable import Worker

/// A schema of a real PostgreSQL server.
struct PostgresStorage: HostStorage {
    private let spool: SpoolDirectory
    private let target: DatabaseTarget
    private let now: @Sendable () -> Timestamp
    private let link: DatabaseLink

    init(_ directory: TemporaryDirectory, now: @escaping @Sendable () -> Timestamp) throws {
        spool = SpoolDirectory(root: "\(directory.path)/spool")
        try spool.makeMissing(using: LocalFileSystem())
        let server = try PostgresServer.shared()
        var settings = Settings.Postgres()
        settings.url = server.url
        settings.schema = server.freshSchema()
        target = DatabaseTarget(settings, program: "acms-test", credentials: nil)
        link = DatabaseLink(target)
        self.now = now
    }

    var table: any BookingQueries { PostgresTableReader(link) }
    var reader: any BookingQueueReader { PostgresQueueReader(link) }

    /// A connection of a process that the switch ends: before or after what it does, so that the process may not learn
    /// that it was done.
    private func link(_ crash: CrashSwitch) -> DatabaseLink {
        DatabaseLink(target) { () throws(DatabaseTrouble) in
            if !crash.mayChange() { throw DatabaseTrouble(.lost, "The process is no more.") }
        }
    }

    func acceptance(_ settings: Settings, _ report: FrontReport, _ crash: CrashSwitch) throws -> Acceptance {
        try Acceptance(
            settings.spool, table: UnreachableTable(), report: report,
            shared: PostgresQueue(link(crash), clock: now), undecidedPatience: .milliseconds(20), now: now)
    }

    func worker(_ settings: Settings, _ crash: CrashSwitch) -> WorkerParts {
        let link = link(crash)
        let queue = PostgresQueue(link, clock: now)
        let consumer = PostgresConsumer(queue)
        return WorkerParts(
            consumer: ForwardingConsumer(consumer, queue, spool),
            reader: PostgresQueueReader(link), table: PostgresTable(consumer), servesOthers: true)
    }

    func messages() throws -> [(place: SpoolPlace, message: Message)] {
        try link.use { (connection) throws(DatabaseTrouble) in
            let rows = try connection.run(
                Statement(
                    """
                    SELECT \(MessageRow.columns), m.place, m.leased_by FROM messages m WHERE start_date IS NOT NULL
                    """))
            var found: [(place: SpoolPlace, message: Message)] = []
            for row in rows.all {
                let place: SpoolPlace =
                    switch try row.text(MessageRow.count) {
                    case "DEAD": .dead
                    case _ where row.optionalText(MessageRow.count + 1) != nil: .active
                    case "QUEUED": .incoming
                    default: .deferred
                    }
                found.append((place, try MessageRow.message(in: row)))
            }
            return found
        }
    }

    func leftovers() throws -> [String] {
        try messages().filter { $0.place != .dead }.map { "\($0.place.rawValue)/\($0.message.id)" }
    }

    func isRedriven(_ id: BookingID) throws -> Bool {
        try messages().contains { $0.place != .dead && $0.message.id == id }
    }
}
