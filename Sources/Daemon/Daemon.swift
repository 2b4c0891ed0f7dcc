public import ArgumentParser
public import Bookings
import FoundationEssentials
import Glibc
public import Logging
public import ServiceLifecycle
public import Systemd
import UnixSignals
public import Varlink

/// A daemon that can take over new settings while it runs.
public protocol ReconfigurableService: Service {
    /// Takes new settings over.
    func reconfigure(_ settings: Settings) async
}

/// The options that the daemons share.
public struct DaemonOptions: ParsableArguments {
    /// The configuration file.
    @Option(help: "The configuration file; without this, /etc/acms/acms.yaml if it exists.")
    public var config: String?

    /// Whether only to check the configuration.
    @Flag(help: "Check the configuration, say what is wrong with it, and end.")
    public var checkConfig = false

    /// Takes no values.
    public init() {}
}

/// A reason not to run, and the exit status that tells it.
public struct DaemonFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The exit status.
    public let status: Int32
    /// The reason, in full sentences.
    public let description: String

    /// Creates the failure.
    public init(status: Int32, _ description: String) {
        self.status = status
        self.description = description
    }
}

/// A daemon's process: configuration, sockets, log, signals and exit status.
public struct Daemon: Sendable {
    /// Exit status for an invalid configuration (EX_CONFIG of sysexits.h).
    public static let invalidConfiguration: Int32 = 78
    /// Exit status when another process has what this one needs (EX_TEMPFAIL of sysexits.h).
    public static let alreadyRunning: Int32 = 75

    /// What a daemon is made from.
    public struct Surroundings: Sendable {
        /// The configuration.
        public let settings: Settings
        /// The sockets to serve, by interface.
        public let listeners: [String: Server.Listener]
        /// Gets the events.
        public let logger: Logger
        /// Reaches the service manager.
        public let notifier: ServiceNotifier
        /// The directory of the credentials that the service manager hands over; nil without any.
        public let credentials: String?
    }

    /// What the help of each daemon says besides what it does.
    public static let help = """
        FILES
          /etc/acms/acms.yaml   the configuration; see acms.yaml(5)
          /var/lib/acms/spool   the queue
          /var/lib/acms/table   the table

        SIGNALS
          SIGTERM, SIGINT   finish what is in hand, answer it, and end
          SIGHUP            read the configuration again; an invalid one changes nothing

        EXIT STATUS
          0    it was told to end, or was idle
          75   another process has what this one needs
          78   the configuration is invalid
        """

    private let name: String
    private let config: String?
    private let checkConfig: Bool
    private let interfaces: @Sendable (Settings) -> [(name: String, configuredPath: String)]

    /// - Parameters:
    ///   - name: the program's.
    ///   - interfaces: the interfaces it serves, and the sockets that the configuration gives them.
    public init(
        _ name: String, _ options: DaemonOptions,
        interfaces: @escaping @Sendable (Settings) -> [(name: String, configuredPath: String)]
    ) {
        self.name = name
        config = options.config
        checkConfig = options.checkConfig
        self.interfaces = interfaces
    }

    /// Runs the service that `make` gives until it ends or SIGTERM or SIGINT stops it. SIGHUP reads the
    /// configuration anew; an invalid one changes nothing.
    ///
    /// - Throws: `ExitCode`, with the reason in the log or on standard error.
    public func run(_ make: (Surroundings) throws -> some ReconfigurableService) async throws {
        let settings = try load()
        if checkConfig {
            print("The configuration is valid.")
            return
        }
        let logger = Logger(label: name) { makeLogHandler(label: $0, level: settings.log.level.loggerLevel) }
        do {
            let service = try make(
                Surroundings(
                    settings: settings, listeners: try listeners(settings), logger: logger,
                    notifier: ServiceNotifier(),
                    credentials: ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"]))
            logger.info("Started \(name) \(acmsVersion).", metadata: .event(.started))
            try await serve(service, logger)
            logger.info("Stopped.", metadata: .event(.stopping))
        } catch {
            logger.critical("\(name) can't go on. \(error)", metadata: .event(.stopping))
            throw ExitCode((error as? DaemonFailure)?.status ?? EXIT_FAILURE)
        }
    }

    private func load() throws -> Settings {
        do {
            return try Settings.load(file: config, environment: ProcessInfo.processInfo.environment)
        } catch {
            let line = Array("\(name): \(error)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            throw ExitCode(Self.invalidConfiguration)
        }
    }

    /// The sockets handed over, or else those of the configuration.
    private func listeners(_ settings: Settings) throws -> [String: Server.Listener] {
        let interfaces = interfaces(settings)
        let sockets = try SocketActivation.take()
        guard !sockets.isEmpty else {
            return Dictionary(
                uniqueKeysWithValues: interfaces.map { ($0.name, .path($0.configuredPath, mode: 0o660)) })
        }
        return try SocketActivation.match(interfaces: interfaces, sockets: sockets)
            .mapValues { .inherited(fileDescriptor: $0.fileDescriptor) }
    }

    private func serve(_ service: some ReconfigurableService, _ logger: Logger) async throws {
        let reloads = ReloadService(service: service) { [self] in reload(logger) }
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: reloads),
                    .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet(logger)))
        try await group.run()
    }

    /// The lifecycle's own steps are of no interest unless something goes wrong.
    private func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }

    private func reload(_ logger: Logger) -> Settings? {
        do {
            let settings = try Settings.load(file: config, environment: ProcessInfo.processInfo.environment)
            logger.notice("The configuration was read anew.", metadata: .event(.configurationReloaded))
            return settings
        } catch {
            logger.error(
                "The new configuration is invalid, the old one stays in force. \(error)",
                metadata: .event(.configurationInvalid))
            return nil
        }
    }
}

/// Gives a service new settings at each SIGHUP.
private struct ReloadService: Service {
    let service: any ReconfigurableService
    let load: @Sendable () -> Settings?

    init(service: any ReconfigurableService, load: @escaping @Sendable () -> Settings?) {
        self.service = service
        self.load = load
    }

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            if let settings = load() { await service.reconfigure(settings) }
        }
    }
}

extension Settings.Log.Level {
    /// The level as the log library names it.
    fileprivate var loggerLevel: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        case .critical: .critical
        }
    }
}
