import ArgumentParser
import Bookings
import FoundationEssentials
import Varlink

/// `acmsctl metrics`
struct MetricsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Print the metrics of both daemons for Prometheus.",
        discussion: """
            Prints the text that Prometheus and its node exporter read, with --openmetrics that of OpenMetrics 1.0. \
            With --output a file is replaced as a whole, for the textfile collector of the node exporter.

            A worker that sleeps is not woken: it is asked only when the front says that it runs, unless --worker \
            says otherwise. acms_up tells of each daemon that was asked whether it has answered. What there is is \
            printed and written in any case; the exit status is 69 if the front can't be reached.

            EXAMPLES
              acmsctl metrics
              acmsctl metrics --output /var/lib/prometheus/node-exporter/acms.prom
              acmsctl metrics --json | jq -c 'select(.name == "acms_queue_messages") | .samples[]'
            """)

    /// When the worker is asked.
    enum WorkerChoice: String, CaseIterable, ExpressibleByArgument {
        /// When it runs.
        case auto
        /// Also when that starts it.
        case always
        case never
    }

    @Flag(name: .customLong("openmetrics"), help: "Print strict OpenMetrics 1.0.") var isOpenMetrics = false
    @Option(
        name: .customLong("output"),
        help: .init("Replace this file instead of printing.", valueName: "file"), completion: .file())
    var file: String?
    @Option(help: .init("Whether to ask the worker; auto: only if it runs.", valueName: "when"))
    var worker = WorkerChoice.auto
    @Option(
        help: .init(
            "The configuration to read. (default: /etc/acms/acms.yaml if it exists)", valueName: "file"),
        completion: .file())
    var config: String?
    @Flag(help: "Print JSON Lines: one metric a line, errors too.") var json = false
    @Option(help: .init("How long to wait for each daemon's reply.", valueName: "seconds"))
    var timeout = 30.0

    func validate() throws {
        guard !(json && isOpenMetrics) else { throw ValidationError("Give either --json or --openmetrics.") }
        guard timeout > 0, timeout <= 1e9 else {
            throw ValidationError("--timeout must be more than 0 and at most 1000000000 seconds.")
        }
        guard file?.isEmpty != true else { throw ValidationError("--output must not be empty.") }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let output = Output(terminal: .standardOutput(environment: environment), isJSON: json)
        do {
            let daemons = MetricsSource(
                settings: try settings(environment), timeout: .seconds(timeout), output: output)
            let (metrics, failure) = await collect(from: daemons)
            try write(metrics, output)
            // Its reason has been told.
            if let failure { throw failure.exitCode }
        } catch let failure as Failure {
            throw failure.report(asJSON: json)
        }
    }

    private func settings(_ environment: [String: String]) throws(Failure) -> Settings {
        do throws(SettingsError) {
            return try Settings.load(file: config, environment: environment)
        } catch {
            throw .invalidConfiguration("\(error)")
        }
    }

    /// Asks who is to be asked, and tells who has not answered.
    /// - Returns: what there is, and why the front has not answered.
    private func collect(from daemons: MetricsSource) async -> ([Metric], Failure?) {
        var answered = Metric(
            "acms_up", .gauge,
            help: "Whether the daemon has answered acmsctl, which was to collect its metrics.",
            samples: [])
        var metrics: [Metric] = []
        var frontFailure: Failure?
        do throws(Failure) {
            metrics = try await daemons.metrics(of: .bookings)
        } catch {
            _ = error.report(asJSON: json)
            frontFailure = error
        }
        answered.samples.append(Metric.Sample(frontFailure == nil ? 1 : 0, labels: ["daemon": "front"]))
        if asksWorker(metrics) {
            var isUp = true
            do throws(Failure) {
                metrics = metrics.merged(with: try await daemons.metrics(of: .queue))
            } catch {
                _ = error.report(asJSON: json)
                isUp = false
            }
            answered.samples.append(Metric.Sample(isUp ? 1 : 0, labels: ["daemon": "worker"]))
        }
        return (metrics.merged(with: [answered]), frontFailure)
    }

    private func asksWorker(_ frontMetrics: [Metric]) -> Bool {
        switch worker {
        case .auto: frontMetrics.gauge("acms_worker_running") == 1
        case .always: true
        case .never: false
        }
    }

    private func write(_ metrics: [Metric], _ output: Output) throws(Failure) {
        let text = MetricsText(form: isOpenMetrics ? .openMetrics : .prometheus)
        let lines = json ? metrics.map { JSONLine.text(of: $0) } : text.lines(of: metrics)
        if let file {
            try ReplacedFile(path: file).write(lines)
        } else {
            try output.write(lines)
        }
    }
}

/// The daemons that are asked for their metrics.
private struct MetricsSource {
    let settings: Settings
    let timeout: Duration
    let output: Output

    private struct NoParameters: Encodable {}

    func metrics(of service: Service) async throws(Failure) -> [Metric] {
        let path = service.socketPath(in: settings)
        do {
            return try await Client.withConnection(to: path) { client in
                let session = Session(
                    client: client, service: service, path: path, timeout: timeout, output: output)
                let reply: MetricsReply = try await session.call(
                    "\(service.interface).GetMetrics", NoParameters())
                return reply.metrics
            }
        } catch let failure as Failure {
            throw failure
        } catch ClientError.unreachable(let path, let errno) {
            throw .unreachable(path: path, errno: errno, service)
        } catch {
            throw .lost(.unreadable("\(error)"), path: path, remedy: Session.repeatIt)
        }
    }
}
