import BookingTable
public import Bookings
public import Daemon
import Logging
import PostgreSQL
import ServiceLifecycle
import Spool
import Systemd
import Varlink

/// The front daemon without its process: accepts bookings on a socket and writes them to the spool.
public struct FrontDaemon: ReconfigurableService {
    private let acceptance: Acceptance
    private let rights: PeerRights
    private let limits: CallerLimits
    private let server: Server
    private let notifier: ServiceNotifier
    private let events: EventHub
    private let sharing: Sharing?
    private let logger: Logger
    private let started: StartedSettings

    /// What tells of a queue that hosts share.
    private struct Sharing {
        let watch: SharedWatch
        let listener: PostgresListener
        /// When the database was reached, or could not be.
        let reached: AsyncStream<Void>
    }

    /// - Throws: when inotify can't be had, or the interface's description does not fit the code.
    public init(_ surroundings: Daemon.Surroundings) throws {
        let settings = surroundings.settings
        let directory = SpoolDirectory(root: settings.spool.directory)
        let report = FrontReport(logger: surroundings.logger, status: StatusLine(surroundings.notifier))
        let enquiry: Enquiry
        let letters: LetterClasses
        switch settings.engine {
        case .embedded:
            let table = SQLiteTableReader(path: settings.table.path)
            acceptance = try Acceptance(settings.spool, table: table, report: report)
            enquiry = Enquiry(
                acceptance: acceptance, spool: directory, table: table, report: report,
                queue: SpoolQueries(directory))
            letters = LetterClasses(directory)
            sharing = nil
        case .postgres:
            let target = DatabaseTarget(
                settings.postgres, program: "acms-frontd", credentials: surroundings.credentials
            ) { [logger = surroundings.logger] schema in
                logger.notice("Made the schema \(schema): the database had none.")
            }
            let (reached, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            acceptance = try Acceptance(
                settings.spool, table: UnreachableTable(), report: report,
                shared: PostgresQueue(DatabaseLink(target) { wake.yield() }),
                buffers: settings.postgres.buffer == .spool)
            // Each asks on a thread and a connection of its own.
            let link = DatabaseLink(target)
            enquiry = Enquiry(
                acceptance: acceptance, spool: directory, table: PostgresTableReader(link), report: report,
                shared: PostgresQueue(link), queue: PostgresQueueReader(link))
            letters = LetterClasses(directory, shared: PostgresQueue(DatabaseLink(target)))
            sharing = Sharing(
                watch: SharedWatch(PostgresQueue(DatabaseLink(target)), acceptance),
                listener: PostgresListener(target), reached: reached)
        }
        notifier = surroundings.notifier
        logger = surroundings.logger
        started = StartedSettings(settings)
        rights = PeerRights(settings.front, report: report)
        let connections = ConnectionCount()
        let interface = try BookingsService(
            acceptance: acceptance, enquiry: enquiry, letters: letters, rights: rights,
            report: report,
            connections: { connections.value }
        ).interface()
        events = report.events
        limits = CallerLimits(settings.server, logger: surroundings.logger)
        server = Server(
            listener: surroundings.listeners[BookingsInterface.name]
                ?? .path(settings.socket.bookings, mode: 0o660),
            info: .acms(product: "acms-frontd"), interfaces: [interface], admission: limits.admission,
            logger: surroundings.logger, onConnectionCountChange: { connections.value = $0 })
    }

    /// Takes new limits and rules over while running.
    public func reconfigure(_ settings: Settings) async {
        started.warn(of: settings, logger)
        limits.reconfigure(settings.server)
        await acceptance.reconfigure(settings.spool)
        await rights.reconfigure(settings.front)
    }

    /// Serves until graceful shutdown; then what was called is answered first.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            // The service manager's watchdog begins when the daemon is ready, and reading a long queue takes time.
            // Calls that come meanwhile wait for it.
            // Before whatever callers ask the acceptance for.
            group.addTask(priority: .high) {
                await acceptance.run {
                    notifier.ready(status: "Accepting bookings")
                    ProgramText.release()
                }
            }
            group.addTask {
                await Heartbeat(notifier).run { await acceptance.heartbeat() }
            }
            if let sharing {
                group.addTask { await sharing.watch.run() }
                group.addTask { [acceptance] in
                    for await hint in sharing.listener.hints(settlements: true) {
                        guard case .settled(let ids) = hint else {
                            await acceptance.changed(nil)
                            continue
                        }
                        await acceptance.changed(ids.compactMap { BookingID($0) })
                    }
                }
                group.addTask { [wake = acceptance.wake] in for await _ in sharing.reached { wake.yield() } }
            }
            // Looking names up can take long, and nobody needs to wait for the warning.
            group.addTask { await rights.warnOfMissingGroups() }
            notifier.status("Reading the queue")
            try await withGracefulShutdownHandler {
                try await server.run()
            } onGracefulShutdown: {
                notifier.stopping(status: "Answering the last calls")
                acceptance.finishAwaiting()
                events.finish()
                server.shutDown()
            }
            group.cancelAll()
        }
    }
}
