import Foundation

/// A PostgreSQL table as a queue.
final class PostgreSQL: Peer {
    static let name = "PostgreSQL"
    static var program: String {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return "\(root)/\(versions.compactMap { Int($0) }.max() ?? 0)/bin/postgres"
    }
    let process: ServerProcess
    let socket: String

    init(_ room: Room, slowSyncs: Int) throws {
        let directory = try room.makeDirectory("postgresql")
        // It refuses to run as root.
        let user = getuid() == 0 ? ServerProcess.User("postgres") : nil
        if let user, chown(directory, user.id, user.group) != 0 { throw Failure.system("chown", directory) }
        socket = "\(directory)/.s.PGSQL.5432"
        let (log, data) = ("\(room.logs)/postgresql.log", "\(directory)/data")
        let initdb = (Self.program as NSString).deletingLastPathComponent + "/initdb"
        let environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
        try ServerProcess(
            [initdb, "-D", data, "-U", "postgres", "-A", "trust"], environment: environment, log: log,
            user: user
        ).waitForSuccess(seconds: 120)
        process = try ServerProcess(
            [
                Self.program, "-D", data, "-k", directory, "-c", "listen_addresses=", "-c",
                "max_connections=1100",
            ], environment: environment.merging(try room.slowSyncs(slowSyncs)) { $1 }, log: log, user: user,
            deathSignal: SIGQUIT)
        let connection = try wait(for: "PostgreSQL", seconds: 60) {
            try process.checkThatItRuns()
            return try? PostgreSQLConnection(socket)
        }
        try connection.prepare(
            "make", "CREATE TABLE bookings (id bigserial PRIMARY KEY, message text NOT NULL)")
        try connection.send("make")
        _ = try connection.rows()
    }

    var format: CallFormat {
        get throws {
            let message = try BookingTemplate(AcmsCalls.message)
            return CallFormat(
                head: PostgreSQLConnection.bindHead("put", length: message.bytes.count), item: message,
                tail: PostgreSQLConnection.bindTail + PostgreSQLConnection.sync)
        }
    }

    var shape: ReplyShape { .postgresInsert }

    func greet(_ socket: Socket) throws {
        let connection = try PostgreSQLConnection(socket)
        try connection.prepare("put", "INSERT INTO bookings (message) VALUES ($1)")
    }

    func consumer() throws -> any PeerConsumer { try PostgreSQLConsumer(PostgreSQLConnection(socket)) }

    func stop() throws { try process.stop(SIGINT) }
}

/// Deletes ten rows, and commits that once they are in the table.
private final class PostgreSQLConsumer: PeerConsumer {
    private let connection: PostgreSQLConnection
    private var isInTransaction = false

    init(_ connection: PostgreSQLConnection) throws {
        self.connection = connection
        // As the autovacuum would do in a minute.
        try connection.prepare("analyze", "ANALYZE bookings")
        try connection.send("analyze")
        _ = try connection.rows()
        try connection.prepare("begin", "BEGIN")
        try connection.prepare("commit", "COMMIT")
        try connection.prepare(
            "take",
            """
            DELETE FROM bookings WHERE id = ANY (ARRAY(
            SELECT id FROM bookings ORDER BY id LIMIT 10 FOR UPDATE SKIP LOCKED)) RETURNING message
            """)
    }

    func next() throws -> [UnsafePointer<UInt8>] {
        let statements = (isInTransaction ? ["commit"] : []) + ["begin", "take"]
        try connection.send(statements)
        for _ in statements.dropLast() { _ = try connection.rows(isLast: false) }
        isInTransaction = true
        return try connection.rows(isLast: true)
    }
}
