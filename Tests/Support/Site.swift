public import Foundation
import Synchronization

/// A private place with a spool, a table and sockets, and the daemons built with the tests running in it.
public final class Site: Sendable {
    /// The private directory.
    public let directory: TemporaryDirectory
    /// Where the table's files are.
    public let tableDirectory: String
    private let extra: [String: String]

    /// - Parameters:
    ///   - environment: more variables for the daemons, by configuration key's environment name.
    ///   - tableDirectory: where the table's files are to be; if nil, in the private directory.
    public init(_ environment: [String: String] = [:], tableDirectory: String? = nil) throws {
        directory = try TemporaryDirectory()
        extra = environment
        self.tableDirectory = tableDirectory ?? "\(directory.path)/table"
        if tableDirectory == nil {
            try FileManager.default.createDirectory(
                atPath: self.tableDirectory, withIntermediateDirectories: false)
        }
    }

    /// The socket of an interface, by the last part of its name.
    public func socket(_ name: String) -> String { "\(directory.path)/io.acms.\(name)" }

    /// The table's file.
    public var tablePath: String { "\(tableDirectory)/acms.sqlite" }

    /// Where the built programs are.
    public static let products: URL =
        Bundle.main.bundleURL.pathExtension == "xctest"
        ? Bundle.main.bundleURL.deletingLastPathComponent() : Bundle.main.bundleURL

    /// The daemons' environment.
    public var environment: [String: String] {
        var environment = [
            "PATH": "/usr/bin:/bin",
            "ACMS_SPOOL_DIRECTORY": "\(directory.path)/spool",
            "ACMS_TABLE_PATH": tablePath,
            "ACMS_SOCKET_BOOKINGS": socket("Bookings"),
            "ACMS_SOCKET_QUEUE": socket("Queue"),
            "ACMS_SOCKET_CARETAKER": socket("Caretaker"),
            "ACMS_WORKER_IDLE_EXIT_SECONDS": "0",
            "ACMS_WORKER_RETRY_INITIAL_SECONDS": "0.05",
            "ACMS_WORKER_RETRY_MAXIMUM_SECONDS": "0.2",
            "ACMS_LOG_LEVEL": "debug",
        ]
        environment.merge(extra) { $1 }
        return environment
    }

    /// Starts a program of the build and returns at once.
    public func start(
        _ program: String, _ environment: [String: String] = [:], arguments: [String] = []
    ) throws -> RunningDaemon {
        try RunningDaemon(
            Self.products.appendingPathComponent(program), arguments: arguments,
            environment: self.environment.merging(environment) { $1 },
            log: "\(directory.path)/\(program).log")
    }

    /// Starts a program as the service manager does: at the first connection to one of the sockets.
    ///
    /// - Parameters:
    ///   - names: the last parts of its interfaces' names.
    ///   - wrapper: a command that is given the program to run, as `env` is.
    public func startActivated(
        _ program: String, _ names: [String], through wrapper: [String] = []
    ) async throws -> RunningDaemon {
        var arguments = names.flatMap { ["--listen", socket($0)] }
        arguments += ["--fdname", names.map { "io.acms.\($0)" }.joined(separator: ":")]
        arguments += environment.flatMap { ["--setenv", "\($0.key)=\($0.value)"] }
        let daemon = try RunningDaemon(
            URL(fileURLWithPath: "/usr/bin/systemd-socket-activate"),
            arguments: arguments + wrapper + [Self.products.appendingPathComponent(program).path],
            environment: environment,
            log: "\(directory.path)/\(program).log")
        for name in names {
            try await eventually("the socket of \(name)") {
                FileManager.default.fileExists(atPath: socket(name))
            }
        }
        return daemon
    }

    /// What a daemon has logged so far.
    public func log(of program: String) throws -> String { try directory.read("\(program).log") }
}

/// A daemon that runs until it is ended or the last reference goes.
public final class RunningDaemon: Sendable {
    private let process: ChildProcess

    init(_ program: URL, arguments: [String] = [], environment: [String: String], log: String) throws {
        let descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        defer { close(descriptor) }
        process = try ChildProcess(
            [program.path] + arguments, environment: environment, output: descriptor, errors: descriptor)
    }

    deinit {
        process.signal(SIGKILL)
    }

    /// Sends a signal.
    public func signal(_ number: Int32) { process.signal(number) }

    /// Whether it still runs.
    public var isRunning: Bool { process.isRunning }

    /// Waits for the end.
    ///
    /// - Returns: the exit status, or minus the number of the signal that ended it.
    public func end() async -> Int32 { await process.end() }

    /// Ends it in good order and waits.
    @discardableResult
    public func stop() async -> Int32 {
        signal(SIGTERM)
        return await end()
    }

    /// Kills it and waits.
    @discardableResult
    public func kill9() async -> Int32 {
        signal(SIGKILL)
        return await end()
    }
}

/// A condition did not come true in time.
public struct Timeout: Error, CustomStringConvertible {
    let what: String
    /// What was waited for.
    public var description: String { "Timed out waiting for \(what)." }
}

/// Waits until `condition` holds, looking again every few milliseconds, for at most `limit`.
///
/// - Throws: ``Timeout``, or what `condition` throws at the last look.
public func eventually(
    _ what: String, within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while true {
        do {
            if try await condition() { return }
            if ContinuousClock.now > deadline { throw Timeout(what: what) }
        } catch let error where ContinuousClock.now <= deadline && !(error is Timeout) {}
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Looks again and again for so long, and throws what `look` throws at the first time that it does.
public func throughout(_ span: Duration, _ look: () async throws -> Void) async throws {
    let end = ContinuousClock.now + span
    while ContinuousClock.now < end {
        try await look()
        try await Task.sleep(for: .milliseconds(50))
    }
}

extension Site {
    /// What the front keeps in the spool's `tmp/` between groups.
    public static let lasting: Set<String> = [".journal-0", ".journal-1", ".journal-open", ".lock"]

    /// What lies in the spool's `tmp/` besides.
    public func unfinishedFiles() throws -> [String] {
        try directory.names(in: "spool/tmp").filter { !Self.lasting.contains($0) }
    }
}
