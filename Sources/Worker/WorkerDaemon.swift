import BookingTable
public import Bookings
public import Daemon
import Logging
import PostgreSQL
import ServiceLifecycle
import Spool
import Systemd
import Varlink

/// The worker daemon without its process: commits what is in the spool, and serves operators and caretakers.
public struct WorkerDaemon: ReconfigurableService {
    private let worker: QueueWorker
    /// Whether it does what takes long and can't be hurried.
    private let isBusy: @Sendable () -> Bool
    /// Tells what other hosts tell, and when the database was reached.
    private let listener: (listener: PostgresListener, reached: AsyncStream<Void>)?
    private let limits: CallerLimits
    private let servers: [Server]
    private let events: EventHub
    private let notifier: ServiceNotifier
    private let logger: Logger
    private let started: StartedSettings

    /// - Throws: when another worker has the spool, or an interface's description does not fit the code.
    public init(_ surroundings: Daemon.Surroundings) throws {
        let settings = surroundings.settings
        let directory = SpoolDirectory(root: settings.spool.directory)
        let report = WorkerReport(
            logger: surroundings.logger, status: StatusLine(surroundings.notifier), engine: settings.engine)
        let surveyed: any BookingQueueReader
        switch settings.engine {
        case .embedded:
            let table = SQLiteTable(path: settings.table.path)
            isBusy = { table.isBeingMigrated }
            listener = nil
            surveyed = SpoolQueries(directory)
            worker = QueueWorker(
                spool: directory, lock: try Self.lock(directory), consumer: SpoolConsumer(directory),
                reader: surveyed,
                table: table,
                settings: settings.worker, report: report)
        case .postgres:
            // Somebody may want to put a file in before anything else comes; it is made later if it can't be now.
            try? directory.makeMissing(using: LocalFileSystem())
            let target = DatabaseTarget(
                settings.postgres, program: "acms-workerd", credentials: surroundings.credentials
            ) { [logger = surroundings.logger] schema in
                logger.notice("Made the schema \(schema): the database had none.")
            }
            let (wakeUps, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            let link = DatabaseLink(target) { wake.yield() }
            let queue = PostgresQueue(link)
            let shared = PostgresConsumer(queue)
            isBusy = { false }
            listener = (PostgresListener(target), wakeUps)
            surveyed = PostgresQueueReader(DatabaseLink(target))
            worker = QueueWorker(
                spool: directory, lock: nil,
                consumer: ForwardingConsumer(shared, queue, directory),
                reader: PostgresQueueReader(link), table: PostgresTable(shared), settings: settings.worker,
                report: report, servesOthers: true)
        }
        let worker = worker
        events = report.events
        notifier = surroundings.notifier
        logger = surroundings.logger
        started = StartedSettings(settings)
        let connections = [
            QueueInterface.name: ConnectionCount(), CaretakerInterface.name: ConnectionCount(),
        ]
        let offered = [
            QueueInterface.name: try QueueService(worker, surveyed) {
                connections.values.reduce(0) { $0 + $1.value }
            }.interface(),
            CaretakerInterface.name: try CaretakerService(worker).interface(),
        ]
        let limits = CallerLimits(settings.server, logger: surroundings.logger)
        self.limits = limits
        servers = surroundings.listeners.compactMap { name, listener in
            offered[name].map { interface in
                Server(
                    listener: listener, info: .acms(product: "acms-workerd"), interfaces: [interface],
                    admission: limits.admission, logger: surroundings.logger,
                    onConnectionCountChange: { count in
                        connections[name]?.value = count
                        worker.notePeerActivity()
                    })
            }
        }
    }

    /// Takes new settings over while running.
    public func reconfigure(_ settings: Settings) async {
        started.warn(of: settings, logger)
        limits.reconfigure(settings.server)
        await worker.reconfigure(settings.worker)
    }

    /// Serves until graceful shutdown or until idle; the batch in hand is settled and what was called is
    /// answered first.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for server in servers {
                group.addTask {
                    do {
                        try await server.run()
                    } catch {
                        // A worker that nobody can reach must not go on unnoticed.
                        worker.finish()
                        throw error
                    }
                }
            }
            group.addTask {
                await Heartbeat(notifier).run {
                    // A worker that was ended in the middle of a migration would begin it anew, for ever.
                    if !isBusy() { await worker.heartbeat() }
                }
            }
            if let listener {
                group.addTask { [wake = worker.wake] in
                    for await _ in listener.listener.hints(settlements: false) { wake.yield() }
                }
                group.addTask { [worker] in
                    for await _ in listener.reached { await worker.databaseReached() }
                }
            }
            notifier.ready(status: "Looking through the queue")
            let end = await withGracefulShutdownHandler {
                await worker.run { [servers] in servers.reduce(0) { $0 + $1.connectionCount } }
            } onGracefulShutdown: {
                worker.finish()
            }
            if case .idle = end { logger.info("Nothing to do; stopping.") }
            notifier.stopping(status: "Answering the last calls")
            events.finish()
            for server in servers { server.shutDown() }
            for _ in servers { try await group.next() }
            group.cancelAll()
        }
    }

    /// The spool's lock; nil when the spool can't be used yet, which the worker waits out.
    private static func lock(_ directory: SpoolDirectory) throws -> SpoolLock? {
        do {
            try directory.makeMissing(using: LocalFileSystem())
            return try SpoolLock(directory)
        } catch let error as SpoolLock.Taken {
            throw DaemonFailure(status: Daemon.alreadyRunning, error.description)
        } catch is SpoolError {
            return nil
        }
    }
}
