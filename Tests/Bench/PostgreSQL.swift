/// A PostgreSQL table as a queue.
final class PostgreSQL: Peer {
    static let name = "PostgreSQL"
    static var program: String { PostgresCluster.program("postgres") }
    private let cluster: PostgresCluster

    init(_ room: Room, slowSyncs: Int) throws {
        cluster = try PostgresCluster(room, slowSyncs: slowSyncs)
        try cluster.connect().run("CREATE TABLE bookings (id bigserial PRIMARY KEY, message text NOT NULL)")
    }

    var process: ServerProcess { cluster.process }
    var socket: String { cluster.socket }

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

    func consumer() throws -> any PeerConsumer { try PostgreSQLConsumer(cluster.connect()) }

    func stop() throws { try cluster.stop() }
}

/// Deletes ten rows, and commits that once they are in the table.
private final class PostgreSQLConsumer: PeerConsumer {
    private let connection: PostgreSQLConnection
    private var isInTransaction = false

    init(_ connection: PostgreSQLConnection) throws {
        self.connection = connection
        // As the autovacuum would do in a minute.
        try connection.run("ANALYZE bookings")
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
