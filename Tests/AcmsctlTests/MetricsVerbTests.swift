import Bookings
import Foundation
import Support
import Testing
import Varlink

@Suite struct MetricsVerbTests {
    private static func method(_ metrics: Metric...) -> Method {
        Method("GetMetrics") { (_: JSONValue, _) throws(ErrorReply) in MetricsReply(metrics: metrics) }
    }

    private static func connections(_ daemon: String) -> Metric {
        Metric("acms_connections", .gauge, help: "Open.", samples: [.init(1, labels: ["daemon": daemon])])
    }

    /// A front that says whether the worker runs.
    private static func front(workerRuns: Bool) -> Method {
        method(
            connections("front"),
            Metric("acms_worker_running", .gauge, help: "Running.", samples: [.init(workerRuns ? 1 : 0)]))
    }

    private static let worker = method(connections("worker"))

    /// Runs acmsctl beside both daemons, or beside the worker alone.
    private func run(
        front: Method? = front(workerRuns: true), worker: Method? = worker, _ arguments: String...
    ) async throws -> Program.Outcome {
        try await FakeDaemon.serving(QueueInterface.description, [worker].compactMap(\.self)) { queue in
            try await FakeDaemon.serving(BookingsInterface.description, [front].compactMap(\.self)) {
                bookings in
                try await Program.run(
                    [Program.path, "metrics"] + arguments,
                    environment: [
                        "ACMS_SOCKET_BOOKINGS": front == nil ? "/nonexistent/bookings" : bookings,
                        "ACMS_SOCKET_QUEUE": worker == nil ? "/nonexistent/queue" : queue,
                    ])
            }
        }
    }

    @Test func `the metrics of both daemons are one text`() async throws {
        let outcome = try await run()
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(
            outcome.output == """
                # TYPE acms_connections gauge
                # HELP acms_connections Open.
                acms_connections{daemon="front"} 1
                acms_connections{daemon="worker"} 1
                # TYPE acms_worker_running gauge
                # HELP acms_worker_running Running.
                acms_worker_running 1
                # TYPE acms_up gauge
                # HELP acms_up Whether the daemon has given its metrics to acmsctl.
                acms_up{daemon="front"} 1
                acms_up{daemon="worker"} 1
                # EOF

                """)
    }

    @Test(arguments: [
        (false, "auto", false), (true, "auto", true), (false, "always", true), (true, "never", false),
    ]) func `the worker is asked when it runs, always or never`(
        runs: Bool, choice: String, isAsked: Bool
    ) async throws {
        let outcome = try await run(front: Self.front(workerRuns: runs), "--worker", choice)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("acms_connections{daemon=\"worker\"}") == isAsked)
        #expect(outcome.output.contains("acms_up{daemon=\"worker\"} 1") == isAsked)
    }

    @Test func `a worker that can't be reached is told of, and takes nothing from the front's`() async throws
    {
        let outcome = try await run(worker: nil)
        #expect(outcome.status == 0)
        #expect(outcome.errors.hasPrefix("acmsctl: nothing can be reached at /nonexistent/queue: "))
        #expect(outcome.output.contains("acms_connections{daemon=\"front\"} 1\n"))
        #expect(outcome.output.contains("acms_up{daemon=\"worker\"} 0\n"))
    }

    @Test func `without the front the exit status is 69, and the text says so too`() async throws {
        let outcome = try await run(front: nil, "--worker", "always")
        #expect(outcome.status == 69)
        #expect(outcome.errors.contains("See 'systemctl status acms-front.socket'"))
        #expect(outcome.output.contains("acms_up{daemon=\"front\"} 0\n"))
        #expect(outcome.output.contains("acms_connections{daemon=\"worker\"} 1\n"))
    }

    @Test func `with JSON a metric is an object a line`() async throws {
        let outcome = try await run("--json")
        #expect(outcome.status == 0)
        let metrics = try outcome.outputLines.map {
            try JSONDecoder().decode(Metric.self, from: Data($0.utf8))
        }
        #expect(metrics.map(\.name) == ["acms_connections", "acms_worker_running", "acms_up"])
        #expect(metrics.first?.samples.count == 2)
    }

    @Test func `a file is replaced as a whole, for all to read, also when the front is down`() async throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/acms.prom"
        try directory.write("old", to: "acms.prom")
        let old = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        chmod(path, 0o600)
        let outcome = try await run("--output", path)
        #expect(outcome.status == 0)
        #expect(outcome.output.isEmpty && outcome.errors.isEmpty)
        #expect(try directory.read("acms.prom").hasSuffix("acms_up{daemon=\"worker\"} 1\n# EOF\n"))
        #expect(try old.readToEnd() == Data("old".utf8))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o644)
        let downOutcome = try await run(front: nil, "--output", path)
        #expect(downOutcome.status == 69)
        #expect(try directory.read("acms.prom").contains("acms_up{daemon=\"front\"} 0\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["acms.prom"])
    }

    @Test func `a file that can't be written exits 74, and nothing is left beside it`() async throws {
        let directory = try TemporaryDirectory()
        let outcome = try await run("--output", "\(directory.path)/none/acms.prom")
        #expect(outcome.status == 74)
        #expect(outcome.errors.contains("none/acms.prom can't be written: No such file or directory.\n"))
        // A directory can't be replaced by a file.
        try FileManager.default.createDirectory(
            atPath: "\(directory.path)/acms.prom/x", withIntermediateDirectories: true)
        let second = try await run("--output", "\(directory.path)/acms.prom")
        #expect(second.status == 74)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["acms.prom"])
    }
}
