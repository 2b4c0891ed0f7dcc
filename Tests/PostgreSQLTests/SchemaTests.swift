import Bookings
import Support
import Testing

@testable import PostgreSQL

@Suite struct SchemaTests {
    @Test func `many who come first make one schema`() async throws {
        let database = try Database()
        _ = try await concurrently((0..<8).map { _ in { try database.queue().counts() } })
        #expect(try database.sql("SELECT version, (SELECT count(*) FROM totals) FROM control") == "1|16\n")
    }

    @Test func `a newer schema is refused and left as it is`() throws {
        let database = try Database()
        _ = try database.queue().counts()
        try database.sql("UPDATE control SET version = 99")
        let refusal = #expect(throws: QueueUnavailable.self) { try database.queue().counts() }
        #expect(refusal?.reason.contains("has version 99, and this program knows versions up to 1") == true)
        let table = #expect(throws: TableUnavailable.self) {
            try PostgresTableReader(DatabaseLink(database.target)).totals()
        }
        #expect(table?.kind == .newerSchema)
        #expect(try database.sql("SELECT version FROM control") == "99\n")
    }

    @Test func `a role that may make nothing is told what is missing`() throws {
        let database = try Database()
        try database.server.sql("CREATE ROLE poor LOGIN; REVOKE CREATE ON DATABASE postgres FROM PUBLIC")
        defer { _ = try? database.server.sql("DROP ROLE poor") }
        var settings = Settings.Postgres()
        settings.url = database.server.url.replacing("postgres@", with: "poor@")
        settings.schema = database.schema
        let queue = PostgresQueue(DatabaseLink(DatabaseTarget(settings, program: "t", credentials: nil)))
        let refusal = #expect(throws: QueueUnavailable.self) { try queue.counts() }
        #expect(
            refusal?.reason.contains("can't be made or brought up to date") == true,
            "\(refusal?.reason ?? "")")
    }

    @Test(arguments: [("UTF8", true), ("SQL_ASCII", true), ("LATIN1", false)])
    func `a database must keep each byte`(_ encoding: String, _ isGood: Bool) throws {
        let server = try PostgresServer.shared()
        let name = server.freshSchema()
        try server.sql(
            "CREATE DATABASE \(name) ENCODING '\(encoding)' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        defer { _ = try? server.sql("DROP DATABASE \(name) WITH (FORCE)") }
        var settings = Settings.Postgres()
        settings.url = server.url(of: name)
        let queue = PostgresQueue(DatabaseLink(DatabaseTarget(settings, program: "t", credentials: nil)))
        let message = try MessageMaker().message("e\u{301}日🏠", "\u{e9}", key: "ß")
        guard isGood else {
            let refusal = #expect(throws: QueueUnavailable.self) { try queue.accept([message], again: false) }
            #expect(refusal?.reason.contains("has the encoding LATIN1") == true)
            return
        }
        #expect(try queue.accept([message], again: false) == [.accepted])
        #expect(try queue.message(message.id)?.message == message)
    }

    @Test func `the database itself stands against two undecided bookings and overlapping approved ones`()
        throws
    {
        let database = try Database()
        _ = try database.queue().counts()
        func insert(_ number: Int, _ user: String, _ status: String, _ start: String, _ end: String) throws {
            try database.sql(
                """
                INSERT INTO bookings VALUES ('00000000-0000-0000-0000-00000000000\(number)', '\(user)', 'A', '\(start)',
                '\(end)', '\(status)', now(), now(), 'k\(number)')
                """)
        }
        try insert(1, "u", "PENDING", "2026-12-01", "2026-12-05")
        #expect(throws: (any Error).self) { try insert(2, "u", "PENDING", "2027-12-01", "2027-12-05") }
        try insert(3, "u", "APPROVED", "2026-12-01", "2026-12-05")
        #expect(throws: (any Error).self) { try insert(4, "v", "APPROVED", "2026-12-04", "2026-12-06") }
        try insert(5, "v", "APPROVED", "2026-12-05", "2026-12-06")
        #expect(throws: (any Error).self) { try insert(6, "v", "PENDING", "2026-12-06", "2026-12-06") }
    }
}
