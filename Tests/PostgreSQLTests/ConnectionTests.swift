import Bookings
import Foundation
import Support
import Testing

@testable import PostgreSQL

@Suite struct ConnectionTests {
    private let maker = MessageMaker()

    private static let end =
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'acms-test'"

    @Test func `a connection that has ended while nobody used it is made anew, and nobody notices`() throws {
        let database = try Database()
        let (queue, table) = (database.queue(), PostgresTable(database.consumer()))
        _ = try (queue.counts(), table.totals())
        for _ in 0..<3 {
            try database.sql(Self.end)
            let message = try maker.message("u\(UUID())")
            #expect(try queue.accept([message], again: false) == [.accepted])
            #expect(try table.totals() == (0, 0))
        }
    }

    @Test func `a connection that breaks in a commit leaves it undecided, and the same again decides`()
        async throws
    {
        let database = try Database()
        let queue = database.queue()
        _ = try queue.counts()
        let other = try Connection(database.target)
        try other.run([Statement("BEGIN"), Statement("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")])
        let message = try maker.message("u")
        let accept: @Sendable () throws -> [SharedVerdict] = { try queue.accept([message], again: false) }
        let accepting = Task.detached { try await concurrently([accept]) }
        let waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while try database.sql(waiting) != "t\n" { await Task.yield() }
        let trouble = await #expect(throws: QueueUnavailable.self) { try await accepting.value }
        #expect(trouble?.mayHaveHappened == true)
        try other.run([Statement("ROLLBACK")])
        // As often as one likes.
        for _ in 0..<2 {
            var verdicts: [SharedVerdict]?
            while verdicts == nil { verdicts = try? queue.accept([message], again: true) }
            #expect(verdicts == [.accepted])
        }
        #expect(try database.sql("SELECT count(*) FROM messages") == "1\n")
    }

    @Test func `an answer that doesn't come in time ends the connection`() throws {
        let database = try Database(timeout: .seconds(1))
        let connection = try Connection(database.target)
        let start = ContinuousClock.now
        #expect(throws: DatabaseTrouble.self) { try connection.run(Statement("SELECT pg_sleep(30)")) }
        #expect(connection.isBroken && ContinuousClock.now - start < .seconds(10))
    }

    @Test func `no password is ever told`() {
        for url in [
            "postgresql://acms:secret@127.0.0.1:1/acms", "postgresql://acms:secret@/acms?host=/nonexistent",
            "postgresql://acms:secret@[::1/acms", "postgresql://acms:secret@h/acms?nonsense=secret",
            "postgresql://acms:sec%zzret@h/acms", "postgresql://acms:x@secret@127.0.0.1:1/acms",
            "postgresql://acms:secret/x@127.0.0.1:1/acms", "postgresql://acms:x/secret@127.0.0.1:1/acms",
        ] {
            var settings = Settings.Postgres()
            settings.url = url
            settings.timeout = .seconds(1)
            let queue = PostgresQueue(DatabaseLink(DatabaseTarget(settings, program: "t", credentials: nil)))
            let trouble = #expect(throws: QueueUnavailable.self) { try queue.counts() }
            #expect(trouble?.mayHaveHappened == false)
            #expect(
                trouble?.reason.contains("secret") == false && trouble?.reason.contains("ret") == false,
                "\(trouble?.reason ?? "")")
        }
    }

    @Test func `the password comes from the service's credential`() throws {
        let server = try PostgresServer()
        try server.sql(
            "CREATE ROLE locked LOGIN PASSWORD 'right'; GRANT CREATE ON DATABASE postgres TO locked")
        try server.sql("CREATE EXTENSION btree_gist")
        try server.demandPasswords(of: "locked")
        let directory = try TemporaryDirectory()
        var settings = Settings.Postgres()
        settings.url = server.url.replacing("postgres@", with: "locked@")
        func count() throws -> QueueCounts {
            try PostgresQueue(
                DatabaseLink(DatabaseTarget(settings, program: "t", credentials: directory.path))
            ).counts()
        }
        try directory.write("wrong\n", to: "postgres-password")
        let refusal = #expect(throws: QueueUnavailable.self) { try count() }
        #expect(
            refusal?.reason.contains("password authentication failed") == true, "\(refusal?.reason ?? "")")
        #expect(refusal?.reason.contains("wrong") == false)
        try directory.write("right\n", to: "postgres-password")
        _ = try count()
    }

    @Test func `a commit that didn't wait for its standby is not taken for durable`() async throws {
        let server = try PostgresServer(options: ["synchronous_standby_names=nobody"])
        let database = try Database(
            server, query: "?options=-csynchronous_commit%3Don", timeout: .seconds(30))
        // The schema is made by somebody who waits for no standby.
        let hasty = try HastyTarget.make(database)
        _ = try PostgresQueue(DatabaseLink(hasty)).counts()
        let message = try maker.message("u")
        let queue = database.queue()
        let accepting = Task.detached { try queue.accept([message], again: false) }
        let waiting = """
            SELECT pg_cancel_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'acms-test' AND wait_event = 'SyncRep'
            """
        while try server.sql(waiting) != "t\n" { await Task.yield() }
        let trouble = await #expect(throws: QueueUnavailable.self) { try await accepting.value }
        #expect(trouble?.mayHaveHappened == true)
        #expect(trouble?.reason.contains("without its standby") == true, "\(trouble?.reason ?? "")")
        // The same again finds it, and books it once.
        #expect(try PostgresQueue(DatabaseLink(hasty)).accept([message], again: true) == [.accepted])
        #expect(try database.sql("SELECT count(*) FROM messages") == "1\n")
    }
}

/// The same schema, for somebody who waits for no standby.
enum HastyTarget {
    static func make(_ database: Database) throws -> DatabaseTarget {
        var settings = Settings.Postgres()
        settings.url = database.server.url + "?options=-csynchronous_commit%3Dlocal"
        settings.schema = database.schema
        return DatabaseTarget(settings, program: "acms-hasty", credentials: nil)
    }
}
