import BookingTable
import Bookings
import Logging
import Spool
import Support
import Synchronization
import Systemd
import Varlink

@testable import Front
@testable import Worker

/// Both halves of acms on one spool and one table, in this process and driven step by step.
final class Host: Sendable {
    let directory: TemporaryDirectory
    let spool: SpoolDirectory
    /// The table, to look at; it has no faults.
    let table: SQLiteTableReader
    let clock = Mutex(Timestamp(milliseconds: 1_800_000_000_000))
    private let settings: Settings
    private let logger = Logger(label: "model") { _ in SwiftLogNoOpLogHandler() }
    private let chances: Mutex<SeededGenerator>

    static let expiryDays = 30

    init(seed: UInt64) throws {
        // Nothing here is about the disk, and a memory file system makes a hundred thousand steps bearable.
        directory = try TemporaryDirectory(in: "/dev/shm")
        spool = SpoolDirectory(root: "\(directory.path)/spool")
        table = SQLiteTableReader(path: "\(directory.path)/acms.sqlite")
        var settings = Settings()
        settings.spool.directory = spool.root
        settings.spool.minFreeBytes = 0
        settings.worker.maxReceiveCount = 3
        settings.worker.pendingExpiresAfterDays = Self.expiryDays
        self.settings = settings
        chances = Mutex(SeededGenerator(seed: seed ^ 0x5eed))
    }

    var now: Timestamp { clock.withLock { $0 } }

    func startFront() async throws -> RunningFront {
        // Ids are in the order of acceptance from one front to the next only if time passes between them.
        clock.withLock { $0 = $0.advanced(by: .milliseconds(5)) }
        let files = CrashingFileSystem()
        let report = FrontReport(logger: logger, status: StatusLine(ServiceNotifier(socketPath: nil)))
        let acceptance = try Acceptance(
            settings.spool, table: table, report: report, files: files, now: { self.now })
        let (prepared, continuation) = AsyncStream.makeStream(of: Void.self)
        let task = Task { await acceptance.run { continuation.finish() } }
        for await _ in prepared {}
        return RunningFront(acceptance: acceptance, files: files, task: task)
    }

    func startWorker() -> RunningWorker {
        let files = CrashingFileSystem()
        let table = FaultyTable(path: "\(directory.path)/acms.sqlite", files: files)
        let report = WorkerReport(logger: logger, status: StatusLine(ServiceNotifier(socketPath: nil)))
        let worker = QueueWorker(
            spool: spool, lock: nil, consumer: SpoolConsumer(spool, files: files),
            reader: SpoolQueries(spool),
            table: table, settings: settings.worker, report: report,
            now: { self.now }, chance: { self.chances.withLock { .random(in: 0...1, using: &$0) } })
        return RunningWorker(worker: worker, table: table, files: files)
    }
}

/// The accepting half while it runs.
struct RunningFront {
    let acceptance: Acceptance
    let files: CrashingFileSystem
    let task: Task<Void, Never>

    func end() async {
        task.cancel()
        await task.value
    }
}

/// The committing half while it runs.
struct RunningWorker {
    let worker: QueueWorker
    let table: FaultyTable
    let files: CrashingFileSystem
}
