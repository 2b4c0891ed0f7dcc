import BookingTable
import Bookings
import Support

@testable import Front
@testable import Spool
@testable import Worker

/// A spool and an SQLite database.
struct EmbeddedStorage: HostStorage {
    let spool: SpoolDirectory
    private let path: String
    private let now: @Sendable () -> Timestamp

    init(_ directory: TemporaryDirectory, now: @escaping @Sendable () -> Timestamp) {
        spool = SpoolDirectory(root: "\(directory.path)/spool")
        path = "\(directory.path)/acms.sqlite"
        self.now = now
    }

    var table: any BookingQueries { SQLiteTableReader(path: path) }
    var reader: any BookingQueueReader { SpoolQueries(spool) }

    func acceptance(_ settings: Settings, _ report: FrontReport, _ crash: CrashSwitch) throws -> Acceptance {
        try Acceptance(
            settings.spool, table: table, report: report, files: CrashingFileSystem(crash), now: now)
    }

    func worker(_ settings: Settings, _ crash: CrashSwitch) -> WorkerParts {
        WorkerParts(
            consumer: SpoolConsumer(spool, files: CrashingFileSystem(crash)), reader: reader,
            table: SQLiteTable(path: path), servesOthers: false)
    }

    func messages() throws -> [(place: SpoolPlace, message: Message)] {
        let reader = SpoolReader(spool)
        var found: [(SpoolPlace, Message)] = []
        for place in [SpoolPlace.incoming, .active, .deferred, .dead] {
            for name in try reader.names(in: place) {
                try reader.forEachMessage(in: place, name) { message in
                    found.append((place, message))
                    return true
                }
            }
        }
        return found
    }

    func leftovers() throws -> [String] {
        let reader = SpoolReader(spool)
        return try [SpoolPlace.tmp, .incoming, .active, .deferred].flatMap { place in
            try reader.names(in: place).map { "\(place.rawValue)/\($0)" }
        }
    }

    func isRedriven(_ id: BookingID) throws -> Bool {
        // The file that the letter came of may still be in active/, if the crash came before its removal.
        let path = spool.path(.dead, DeadLetterFile.name(id))
        let letter = try StoredDeadLetter.read(path, files: LocalFileSystem())
        return try messages().contains { found in
            found.place != .dead && found.message.id == id
                && (letter.map { found.message.redriveCount > $0.fields.redriveCount ?? 0 } ?? true)
        }
    }
}
