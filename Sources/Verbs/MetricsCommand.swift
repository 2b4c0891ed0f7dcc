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
            printed or written in any case; the exit status is 69 if the front can't be reached. --socket names the \
            front's socket.

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
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard !(options.json && isOpenMetrics) else {
            throw ValidationError("Give either --json or --openmetrics.")
        }
        guard file?.isEmpty != true else { throw ValidationError("--output must not be empty.") }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let output = Output(terminal: .standardOutput(environment: environment), isJSON: options.json)
        do {
            let daemons = Daemons(
                settings: try settings(environment), timeout: .seconds(options.timeout ?? 30), output: output)
            let (metrics, failure) = await collect(from: daemons)
            try write(metrics, output)
            // Its reason has been told.
            if let failure { throw failure.exitCode }
        } catch let failure as Failure {
            throw failure.report(asJSON: options.json)
        }
    }

    private func settings(_ environment: [String: String]) throws(Failure) -> Settings {
        var settings = try Settings.forVerb(options.config, environment)
        if let socket = options.socket { settings.socket.bookings = socket }
        return settings
    }

    /// Asks who is to be asked, and tells who has not answered.
    /// - Returns: what there is, and why the front has not answered.
    private func collect(from daemons: Daemons) async -> ([Metric], Failure?) {
        var answered = Metric(
            "acms_up", .gauge,
            help: "Whether the daemon has given its metrics to acmsctl.", samples: [])
        var metrics: [Metric] = []
        var frontFailure: Failure?
        do throws(Failure) {
            metrics = try await daemons.ask(.bookings) { try await $0.metrics() }.get()
        } catch {
            _ = error.report(asJSON: options.json)
            frontFailure = error
        }
        answered.samples.append(Metric.Sample(frontFailure == nil ? 1 : 0, labels: ["daemon": "front"]))
        if asksWorker(metrics) {
            var isUp = true
            do throws(Failure) {
                metrics = metrics.merged(with: try await daemons.ask(.queue) { try await $0.metrics() }.get())
            } catch {
                _ = error.report(asJSON: options.json)
                isUp = false
            }
            answered.samples.append(Metric.Sample(isUp ? 1 : 0, labels: ["daemon": "worker"]))
        }
        return (metrics.merged(with: [answered]), frontFailure)
    }

    private func asksWorker(_ frontMetrics: [Metric]) -> Bool {
        switch worker {
        case .auto: frontMetrics.value("acms_worker_running") == 1
        case .always: true
        case .never: false
        }
    }

    private func write(_ metrics: [Metric], _ output: Output) throws(Failure) {
        let text = MetricsText(form: isOpenMetrics ? .openMetrics : .prometheus)
        let lines = options.json ? metrics.map { JSONLine.text(of: $0) } : text.lines(of: metrics)
        if let file {
            // Collectors are other users.
            try output.write(lines, to: file, mode: 0o644)
        } else {
            try output.write(lines)
        }
    }
}
