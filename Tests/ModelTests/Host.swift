import Bookings
import Logging
import Spool
import Support
import Synchronization
import Systemd
import Varlink

@testable import Front
@testable import Worker

/// Both halves of acms on one queue and one table, in this process and driven step by step.
final class Host: Sendable {
    let storage: any HostStorage
    private let directory: TemporaryDirectory
    let clock: Clock
    let settings: Settings
    private let logger = Logger(label: "model") { _ in SwiftLogNoOpLogHandler() }
    private let chances: Mutex<SeededGenerator>

    /// The host's time, which passes only when it is told to.
    final class Clock: Sendable {
        private let time = Mutex(Timestamp(milliseconds: 1_800_000_000_000))

        var now: Timestamp { time.withLock { $0 } }

        func advance(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
    }

    static let expiryDays = 30

    init(_ engine: Engine, seed: UInt64) throws {
        // Nothing here is about the disk, and a memory file system makes a hundred thousand steps bearable.
        let directory = try TemporaryDirectory(in: "/dev/shm")
        let clock = Clock()
        self.directory = directory
        self.clock = clock
        storage =
            switch engine {
            case .embedded: EmbeddedStorage(directory) { clock.now }
            case .postgres: try PostgresStorage(directory) { clock.now }
            }
        var settings = Settings()
        settings.spool.directory = "\(directory.path)/spool"
        settings.spool.minFreeBytes = 0
        settings.worker.maxReceiveCount = 3
        settings.worker.pendingExpiresAfterDays = Self.expiryDays
        self.settings = settings
        chances = Mutex(SeededGenerator(seed: seed ^ 0x5eed))
    }

    var now: Timestamp { clock.now }
    /// The table, to look at; it has no faults.
    var table: any BookingQueries { storage.table }

    func startFront() async throws -> RunningFront {
        // Ids are in the order of acceptance from one front to the next only if time passes between them.
        clock.advance(by: .milliseconds(5))
        let crash = CrashSwitch()
        let report = FrontReport(logger: logger, status: StatusLine(ServiceNotifier(socketPath: nil)))
        let acceptance = try storage.acceptance(settings, report, crash)
        let (prepared, continuation) = AsyncStream.makeStream(of: Void.self)
        let task = Task { await acceptance.run { continuation.finish() } }
        for await _ in prepared {}
        return RunningFront(acceptance: acceptance, crash: crash, task: task)
    }

    func startWorker() -> RunningWorker {
        let crash = CrashSwitch()
        let parts = storage.worker(settings, crash)
        let table = FaultyTable(parts.table, crash: crash)
        let report = WorkerReport(logger: logger, status: StatusLine(ServiceNotifier(socketPath: nil)))
        let worker = QueueWorker(
            spool: .init(root: settings.spool.directory), lock: nil, consumer: parts.consumer,
            reader: parts.reader,
            table: table, settings: settings.worker, report: report, servesOthers: parts.servesOthers,
            now: { [clock] in clock.now },
            chance: { self.chances.withLock { .random(in: 0...1, using: &$0) } },
            // Else the size of groups would depend on how busy the machine is.
            cost: { .init(time: .zero, work: .zero) })
        return RunningWorker(worker: worker, table: table, crash: crash)
    }
}

/// The accepting half while it runs.
struct RunningFront {
    let acceptance: Acceptance
    let crash: CrashSwitch
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
    let crash: CrashSwitch
}
