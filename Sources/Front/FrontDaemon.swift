import BookingTable
public import Bookings
public import Daemon
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

    /// - Throws: when inotify can't be had, or the interface's description does not fit the code.
    public init(_ surroundings: Daemon.Surroundings) throws {
        let settings = surroundings.settings
        let directory = SpoolDirectory(root: settings.spool.directory)
        let table = SQLiteTableReader(path: settings.table.path)
        let report = FrontReport(logger: surroundings.logger, status: StatusLine(surroundings.notifier))
        acceptance = try Acceptance(settings.spool, table: table, report: report)
        notifier = surroundings.notifier
        let enquiry = Enquiry(acceptance: acceptance, spool: directory, table: table, report: report)
        rights = PeerRights(settings.front, report: report)
        let connections = ConnectionCount()
        let interface = try BookingsService(
            acceptance: acceptance, enquiry: enquiry, letters: LetterClasses(directory), rights: rights,
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
            // Looking names up can take long, and nobody needs to wait for the warning.
            group.addTask { await rights.warnOfMissingGroups() }
            notifier.status("Reading the spool")
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
