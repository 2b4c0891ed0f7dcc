import Foundation

/// A private PostgreSQL as it comes, which has synced each commit before it answers.
final class PostgresCluster {
    let process: ServerProcess
    let directory: String

    /// Makes it in an empty directory, and waits until it answers.
    init(_ room: Room, slowSyncs: Int = 0) throws {
        directory = try room.makeDirectory("postgresql")
        // It refuses to run as root.
        let user = getuid() == 0 ? ServerProcess.User("postgres") : nil
        if let user, chown(directory, user.id, user.group) != 0 { throw Failure.system("chown", directory) }
        let (log, data) = ("\(room.logs)/postgresql.log", "\(directory)/data")
        try ServerProcess(
            [Self.program("initdb"), "-D", data, "-U", Self.user, "-A", "trust"],
            environment: Self.environment, log: log, user: user
        ).waitForSuccess(seconds: 120)
        process = try ServerProcess(
            [
                Self.program("postgres"), "-D", data, "-k", directory, "-c", "listen_addresses=", "-c",
                "max_connections=1100",
            ], environment: Self.environment.merging(try room.slowSyncs(slowSyncs)) { $1 }, log: log,
            user: user, deathSignal: SIGQUIT)
        try wait(for: "PostgreSQL", seconds: 60) {
            try process.checkThatItRuns()
            return try? connect()
        }
    }

    static let user = "postgres"
    static let environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]

    /// The path of one of the programs of the newest version that is installed.
    static func program(_ name: String) -> String {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return "\(root)/\(versions.compactMap { Int($0) }.max() ?? 0)/bin/\(name)"
    }

    var socket: String { "\(directory)/.s.PGSQL.5432" }

    /// What a program on libpq is told to find a database.
    func address(of database: String) -> String {
        "postgresql://\(Self.user)@/\(database)?host=\(directory)"
    }

    func connect(to database: String = "postgres") throws -> PostgreSQLConnection {
        try PostgreSQLConnection(Socket(socket), database: database)
    }

    /// Makes an empty database in place of one that may be there.
    func makeDatabase(_ name: String) throws -> PostgreSQLConnection {
        let connection = try connect()
        try connection.run("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        try connection.run("CREATE DATABASE \(name)")
        return try connect(to: name)
    }

    func stop() throws { try process.stop(SIGINT) }
}
