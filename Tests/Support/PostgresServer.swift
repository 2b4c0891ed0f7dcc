import Foundation
import Synchronization

/// A private PostgreSQL server, which ends with this process. Nothing is synced: no test here is about its disk.
public final class PostgresServer: Sendable {
    private let directory: String
    private let programs: String
    private let process: Process
    /// The server ends when this is closed, by whatever ends the process.
    private let lifeline: Pipe
    private let schemas = Atomic(0)

    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let started = Mutex<Result<PostgresServer, any Error>?>(nil)

    /// The server of this process; started when it is asked for first.
    public static func shared() throws -> PostgresServer {
        try started.withLock { started in
            if let started { return try started.get() }
            let result = Result { try PostgresServer() }
            started = result
            return try result.get()
        }
    }

    /// - Parameter options: more settings of the server.
    public init(options: [String] = []) throws {
        let programs = try Self.programs()
        var template = Array("/tmp/acms-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        lifeline = Pipe()
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        self.programs = programs
        let settings =
            [
                "fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100",
                "listen_addresses=", "unix_socket_directories=\(directory)",
            ] + options
        process.arguments = ["-c", Self.script, "bash", programs, directory] + settings
        // No other child may keep it open.
        _ = fcntl(lifeline.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        process.standardInput = lifeline
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        // The script prints "ready" once it is, and what went wrong otherwise.
        var told = ""
        while true {
            let data = output.fileHandleForReading.availableData
            told += String(decoding: data, as: UTF8.self)
            if told.contains("ready\n") { break }
            if data.isEmpty { throw Failure(description: "PostgreSQL could not be started: \(told)") }
        }
        output.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
    }

    /// Runs the server until standard input ends. As root it runs as somebody else, which the server demands.
    private static let script = """
        programs=$1 directory=$2
        shift 2
        as=()
        if [ "$(id -u)" = 0 ]; then
            chown postgres "$directory"
            as=(setpriv --reuid postgres --regid postgres --clear-groups)
        fi
        trap 'rm -rf "$directory"' EXIT
        cd "$directory"
        "${as[@]}" "$programs/initdb" -D data -A trust -U postgres -E UTF8 --no-sync >log 2>&1 || { cat log; exit 1; }
        for setting in "$@"; do echo "${setting%%=*} = '${setting#*=}'" >>data/postgresql.conf; done
        "${as[@]}" "$programs/pg_ctl" -D data -l "$directory/server.log" -w start >log 2>&1 </dev/null \\
            || { cat log server.log; exit 1; }
        echo ready
        exec >/dev/null 2>&1
        cat >/dev/null
        "${as[@]}" "$programs/pg_ctl" -D data -m immediate stop
        """

    private static func programs() throws -> String {
        let parent = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []).compactMap(
            Int.init)
        for version in versions.sorted(by: >) {
            let programs = "\(parent)/\(version)/bin"
            if FileManager.default.isExecutableFile(atPath: "\(programs)/postgres") { return programs }
        }
        throw Failure(description: "There is no PostgreSQL server: install the package postgresql.")
    }

    /// A database of the server, as a connection URI of libpq.
    public func url(of database: String = "postgres") -> String {
        let host = directory.replacingOccurrences(of: "/", with: "%2F")
        return "postgresql://postgres@\(host)/\(database)"
    }

    /// The server's own database, as a connection URI of libpq.
    public var url: String { url(of: "postgres") }

    /// Makes a database that no other test has.
    ///
    /// - Returns: its name.
    public func makeDatabase() throws -> String {
        let name = freshSchema()
        try sql("CREATE DATABASE \(name)")
        return name
    }

    /// The command that runs SQL in a schema.
    public func psql(_ sql: String, schema: String, database: String = "postgres") -> [String] {
        [
            "/usr/bin/psql", "-h", directory, "-U", "postgres", "-d", database, "-qAtX", "-v",
            "ON_ERROR_STOP=1",
            "-c", "SET search_path = \"\(schema)\"", "-c", sql,
        ]
    }

    /// Runs SQL in a schema.
    ///
    /// - Returns: the rows, their columns separated by `|`.
    @discardableResult
    public func run(_ sql: String, schema: String, database: String = "postgres") async throws -> [String] {
        let command = try await Command.run(psql(sql, schema: schema, database: database))
        guard command.status == 0 else { throw Failure(description: command.errors) }
        return command.lines
    }

    /// The name of a schema that nobody has yet.
    public func freshSchema() -> String {
        "test_\(getpid())_\(schemas.add(1, ordering: .relaxed).newValue)"
    }

    /// Ends the server as a crash does.
    public func stop() async throws { try await control(["-m", "immediate", "stop"]) }

    /// Starts it again after ``stop()``.
    public func startAgain() async throws {
        try await control(["-l", "\(directory)/server.log", "-w", "start"])
    }

    private func control(_ arguments: [String]) async throws {
        let identity =
            getuid() == 0 ? ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] : []
        let done = try await Command.run(
            ["/usr/bin/env"] + identity + ["\(programs)/pg_ctl", "-D", "\(directory)/data"] + arguments)
        guard done.status == 0 else {
            throw Failure(
                description: "pg_ctl \(arguments.joined(separator: " ")): \(done.output)\(done.errors)")
        }
    }

    /// Lets a role in with its password only.
    public func demandPasswords(of role: String) throws { try admit(role, by: "scram-sha-256") }

    /// Lets a role in by one of pg_hba.conf's methods only.
    public func admit(_ role: String, by method: String) throws {
        let file = "\(directory)/data/pg_hba.conf"
        let rules = try String(contentsOfFile: file, encoding: .utf8)
        // In place, so that the file stays the server's.
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(("local all \(role) \(method)\n" + rules).utf8))
        try handle.close()
        try sql("SELECT pg_reload_conf()")
    }

    /// Runs SQL with psql.
    ///
    /// - Returns: what it prints, unaligned and without headings.
    @discardableResult
    public func sql(_ text: String, schema: String? = nil) throws -> String {
        let psql = Process()
        psql.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        psql.arguments = [
            "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", directory, "-U", "postgres", "-d", "postgres",
        ]
        let (input, output) = (Pipe(), Pipe())
        psql.standardInput = input
        psql.standardOutput = output
        psql.standardError = output
        try psql.run()
        let prefix = schema.map { "SET search_path TO \"\($0)\";\n" } ?? ""
        input.fileHandleForWriting.write(Data((prefix + text).utf8))
        try input.fileHandleForWriting.close()
        let told = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        psql.waitUntilExit()
        guard psql.terminationStatus == 0 else { throw Failure(description: told) }
        return told
    }
}
