import Foundation

/// What a program without acms does with PostgreSQL: pgbench, which speaks libpq, with a statement a transaction.
struct PlainPostgres {
    static let name = "pgbench"
    private static let database = "plain"
    private let cluster: PostgresCluster
    private let connection: PostgreSQLConnection
    private let room: Room
    private let system: String

    /// Makes empty tables.
    ///
    /// - Parameter hasPrimaryKeyAlone: whether the messages have no other index. They are then in no order, and a
    ///   user's second booking of an apartment is not refused.
    init(_ cluster: PostgresCluster, _ room: Room, hasPrimaryKeyAlone: Bool = false) throws {
        (self.cluster, self.room) = (cluster, room)
        system = Self.name + (hasPrimaryKeyAlone ? ", primary key alone" : "")
        connection = try cluster.makeDatabase(Self.database)
        try connection.run(Self.tables)
        if !hasPrimaryKeyAlone { try connection.run(Self.messageIndexes) }
    }

    /// Inserts a message a transaction.
    func accept(_ name: String, clients: Int, seconds: Double) throws -> Figure {
        try run(
            name, hasEnded: "messages", bookingsPerStatement: 1, Self.insertion,
            ["-c", "\(clients)", "-j", "2", "-T", "\(Int(seconds))"])
    }

    /// Makes messages, and moves ten of them to the bookings in each transaction until none is left.
    func drain(_ name: String, _ backlog: Int, clients: Int) throws -> Figure {
        try connection.run(Self.filling(backlog))
        let figure = try run(
            name, hasEnded: "bookings", bookingsPerStatement: 10, Self.move,
            ["-c", "\(clients)", "-j", "\(min(clients, 2))", "-t", "\(backlog / 10 / clients)"])
        let rows = try connection.number("SELECT count(*) FROM bookings")
        guard rows == backlog else { throw Failure("of \(backlog) messages \(rows) are in the table") }
        return figure
    }

    private func run(
        _ name: String, hasEnded table: String, bookingsPerStatement: Int, _ script: String,
        _ options: [String]
    ) throws -> Figure {
        let path = "\(cluster.directory)/script.sql"
        let log = "\(room.logs)/pgbench-\(now()).log"
        try script.write(toFile: path, atomically: true, encoding: .utf8)
        try connection.settle()
        let before = try cluster.process.processorSeconds()
        let program = try ServerProcess(
            [
                PostgresCluster.program("pgbench"), "-n", "-M", "prepared", "-f", path, "-h",
                cluster.directory, "-U", PostgresCluster.user,
            ] + options + [Self.database], environment: PostgresCluster.environment, log: log)
        try program.waitForSuccess(seconds: 3600)
        let used = try cluster.process.processorSeconds() - before
        let output = try String(contentsOfFile: log, encoding: .utf8)
        guard let rate = Self.number(after: "tps = ", in: output),
            let count = Self.number(after: "number of transactions actually processed: ", in: output)
        else { throw Failure("pgbench wrote:\n\(output)") }
        let bookings = Int(count) * bookingsPerStatement
        let rows = try connection.number("SELECT count(*) FROM \(table)")
        guard rows == bookings else { throw Failure("of \(bookings) rows \(rows) are in \(table)") }
        var figure = Figure(name, system, rate * Double(bookingsPerStatement), "bookings/s")
        figure.serverMicroseconds = used * 1e6 / Double(bookings)
        figure.generatorMicroseconds = program.endUsage.processorSeconds * 1e6 / Double(bookings)
        return figure
    }

    private static func number(after mark: String, in text: String) -> Double? {
        text.firstRange(of: mark).flatMap {
            Double(text[$0.upperBound...].prefix { $0.isNumber || $0 == "." })
        }
    }
}

extension PostgreSQLConnection {
    /// Does what the autovacuum would do in a minute, and has all that was written on the disk.
    func settle() throws {
        try run("ANALYZE")
        try run("CHECKPOINT")
    }
}

/// The tables: acms' columns, and indexes that do the same.
extension PlainPostgres {
    private static let tables = """
        CREATE EXTENSION btree_gist;
        CREATE TABLE messages (
            id uuid PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY,
            place text COLLATE "C" NOT NULL DEFAULT 'QUEUED',
            user_id text COLLATE "C" NOT NULL, apartment_id text COLLATE "C" NOT NULL,
            start_date date NOT NULL, end_date date NOT NULL, idempotency_key text COLLATE "C",
            accepted_on timestamptz NOT NULL DEFAULT now(), trace_parent text,
            receive_count integer NOT NULL DEFAULT 0, leased_by uuid, leased_until timestamptz,
            class text, reason text);
        CREATE TABLE bookings (
            id uuid PRIMARY KEY, user_id text COLLATE "C" NOT NULL, apartment_id text COLLATE "C" NOT NULL,
            start_date date NOT NULL, end_date date NOT NULL CHECK (end_date > start_date),
            booking_status text COLLATE "C" NOT NULL
                CHECK (booking_status IN ('PENDING', 'APPROVED', 'CANCELLED')),
            created_on timestamptz NOT NULL, updated_on timestamptz NOT NULL,
            idempotency_key text COLLATE "C",
            EXCLUDE USING gist (apartment_id WITH =, daterange(start_date, end_date) WITH &&)
                WHERE (booking_status = 'APPROVED'));
        CREATE UNIQUE INDEX ON bookings (user_id, apartment_id) WHERE booking_status = 'PENDING';
        CREATE UNIQUE INDEX ON bookings (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX ON bookings (apartment_id, created_on, id);
        CREATE INDEX ON bookings (user_id, created_on, id) WHERE booking_status <> 'PENDING';
        CREATE INDEX ON bookings (created_on, id) WHERE booking_status = 'PENDING';
        """

    private static let messageIndexes = """
        CREATE UNIQUE INDEX ON messages (seq);
        CREATE UNIQUE INDEX ON messages (user_id, apartment_id);
        CREATE UNIQUE INDEX ON messages (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
        """

    /// As long as acms' bookings.
    private static let insertion = """
        \\set user random(100000000000, 999999999999)
        \\set apartment random(1000, 9999)
        \\set day random(0, 300)
        INSERT INTO messages (id, user_id, apartment_id, start_date, end_date) VALUES (gen_random_uuid(), \
        'user' || :user || '@abc.org', 'apartment-' || :apartment, date '2027-01-01' + :day::int, \
        date '2027-01-03' + :day::int);

        """

    private static func filling(_ messages: Int) -> String {
        """
        INSERT INTO messages (id, user_id, apartment_id, start_date, end_date)
        SELECT gen_random_uuid(), 'user' || lpad(shuffled::text, 8, '0') || '@example.org',
            'apartment-' || lpad((shuffled / 7 % 10000)::text, 4, '0'),
            date '2027-01-01' + number % 300, date '2027-01-03' + number % 300
        FROM (SELECT number, number::bigint * 61803399 % 100000000 AS shuffled
            FROM generate_series(0, \(messages - 1)) AS number) AS numbers
        """
    }

    private static let move = """
        WITH taken AS (DELETE FROM messages WHERE id = ANY (ARRAY( \
        SELECT id FROM messages ORDER BY seq LIMIT 10 FOR UPDATE SKIP LOCKED)) RETURNING *) \
        INSERT INTO bookings SELECT id, user_id, apartment_id, start_date, end_date, 'PENDING', accepted_on, \
        now(), idempotency_key FROM taken;

        """
}
