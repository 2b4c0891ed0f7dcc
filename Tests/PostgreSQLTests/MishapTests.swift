import Bookings
import Support
import Synchronization
import Testing

@testable import PostgreSQL

/// What others do to the database while it is used.
@Suite struct MishapTests {
    private let maker = MessageMaker()

    @Test func `what is durable already isn't refused when the rest fails`() throws {
        let database = try Database(timeout: .seconds(4))
        let queue = database.queue()
        let old = try maker.message("old", key: "k")
        #expect(try queue.accept([old], again: false) == [.accepted])
        let other = try Connection(database.target)
        try other.run(Statement("BEGIN"))
        try other.run(Statement("LOCK TABLE totals IN ACCESS EXCLUSIVE MODE"))
        let group = [try maker.message("new"), try maker.message("old", key: "k")]
        let trouble = #expect(throws: QueueUnavailable.self) { try queue.accept(group, again: false) }
        #expect(trouble?.mayHaveHappened == true)
        #expect(trouble?.reason.contains("pg_locks") == true, "\(trouble?.reason ?? "")")
        #expect(try database.sql("SELECT user_id FROM messages ORDER BY id") == "old\nnew\n")
        try other.run(Statement("ROLLBACK"))
        #expect(try queue.accept(group, again: true) == [.accepted, .repeats(old.id)])
        #expect(try database.sql("SELECT count(*) FROM messages") == "2\n")
    }

    @Test func `what is refused as a whole is certain`() throws {
        let database = try Database(timeout: .seconds(4))
        let queue = database.queue()
        _ = try queue.counts()
        let other = try Connection(database.target)
        try other.run(Statement("BEGIN"))
        try other.run(Statement("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE"))
        let message = try maker.message("u")
        let trouble = #expect(throws: QueueUnavailable.self) { try queue.accept([message], again: false) }
        #expect(trouble?.mayHaveHappened == false)
        try other.run(Statement("ROLLBACK"))
        #expect(try queue.accept([message], again: false) == [.accepted])
    }

    @Test func `an empty schema doesn't take the place of the one that was used`() async throws {
        // Others' connections are not to end.
        let database = try Database(PostgresServer())
        let queue = database.queue()
        #expect(try queue.accept([maker.message("u")], again: false) == [.accepted])
        try database.sql("ALTER SCHEMA \(database.schema) RENAME TO \(database.schema)_aside")
        // A second link of the same process knows of it as well.
        for refusing in [queue, database.queue()] {
            try endConnections(database)
            // Until the connection is made again it is only known to have ended.
            try await eventually("it to be refused") {
                try refusal(refusing)?.contains("that was used before is gone. Restore it") == true
            }
        }
        #expect(try database.sql("SELECT to_regnamespace('\(database.schema)') IS NULL") == "t\n")
        // Somebody else has begun anew there.
        var settings = Settings.Postgres()
        settings.url = database.server.url
        settings.schema = database.schema
        let made = Mutex<[String]>([])
        let anew = DatabaseTarget(settings, program: "t", credentials: nil) { name in
            made.withLock { $0.append(name) }
        }
        _ = try PostgresQueue(DatabaseLink(anew)).counts()
        #expect(made.withLock(\.self) == [database.schema])
        try await eventually("the other one to be refused") {
            try refusal(queue)?.contains("is gone, and another is in its place") == true
        }
        // It comes back.
        try database.sql(
            """
            DROP SCHEMA \(database.schema) CASCADE;
            ALTER SCHEMA \(database.schema)_aside RENAME TO \(database.schema)
            """)
        try endConnections(database)
        try await eventually("it to be used") { (try? queue.counts()) != nil }
        #expect(try queue.counts().incoming == 1)
    }

    @Test(arguments: [
        ("DELETE FROM control", "control has no row"), ("DROP INDEX one_claim", "one_claim missing"),
        ("ALTER TABLE bookings DROP CONSTRAINT no_overlap", "no_overlap missing"),
    ])
    func `a schema that isn't whole isn't used`(_ damage: String, _ reason: String) throws {
        let database = try Database()
        _ = try database.queue().counts()
        try database.sql(damage)
        let refusal = #expect(throws: QueueUnavailable.self) {
            try database.queue().accept([maker.message("u")], again: false)
        }
        #expect(
            refusal?.reason.contains("isn't whole: \(reason). Wait until") == true, "\(refusal?.reason ?? "")"
        )
        guard case .unusable(.incomplete, let told) = DatabaseLook.take(database.target).outcome else {
            Issue.record("It is taken for whole.")
            return
        }
        #expect(told.contains(reason))
    }

    @Test func `statements that a change of the schema has made useless are planned again`() async throws {
        let database = try Database()
        let queue = database.queue()
        let message = try maker.message("u")
        #expect(try queue.accept([message], again: false) == [.accepted])
        #expect(try queue.message(message.id) != nil)
        try database.sql("ALTER TABLE messages ALTER place TYPE varchar")
        // The first may have to learn of it.
        _ = try? queue.message(message.id)
        try await eventually("a new connection") { (try? queue.counts()) != nil }
        #expect(try queue.message(message.id)?.message == message)
    }

    @Test func `a trigger's warning is not taken for a standby that wasn't waited for`() throws {
        let database = try Database()
        let queue = database.queue()
        _ = try queue.counts()
        try database.sql(
            """
            CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN RAISE WARNING 'somebody books'; RETURN NEW; END $$;
            CREATE TRIGGER warn BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION warn()
            """)
        #expect(try queue.accept([maker.message("u")], again: false) == [.accepted])
    }

    @Test func `what an earlier try has forwarded is let go only when the standby has it`() throws {
        let server = try PostgresServer(options: ["synchronous_standby_names=nobody"])
        let database = try Database(
            server, query: "?options=-csynchronous_commit%3Don", timeout: .seconds(1))
        let hasty = try PostgresQueue(DatabaseLink(HastyTarget.make(database)))
        let item = Forwarded.message(try maker.message("u"))
        #expect(try hasty.forward([item], from: "spool", at: .now()) == [nil])
        let trouble = #expect(throws: QueueUnavailable.self) {
            try database.queue().forward([item], from: "spool", at: .now())
        }
        #expect(trouble?.mayHaveHappened == true)
        // It waits on, without its client.
        try endConnections(database)
        #expect(try hasty.forward([item], from: "spool", at: .now()) == [nil])
    }

    @Test func `a letter that somebody else has redriven meanwhile is not said to be deleted`() throws {
        let database = try Database()
        let (queue, worker) = (database.queue(), database.consumer())
        let (letter, queued) = (try maker.message("letter"), try maker.message("queued"))
        #expect(try queue.accept([letter, queued], again: false) == [.accepted, .accepted])
        try database.sql(
            "UPDATE messages SET place = 'DEAD', class = 'POISON', reason = 'r' WHERE user_id = 'letter'")
        #expect(try worker.delete([letter.id, queued.id]) == [queued.id: .notFound])
        #expect(try database.sql("SELECT user_id FROM messages") == "queued\n")
    }

    private func refusal(_ queue: PostgresQueue) throws -> String? {
        do {
            _ = try queue.counts()
            return nil
        } catch {
            return error.reason
        }
    }

    private func endConnections(_ database: Database) throws {
        try database.sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'acms-test'"
        )
    }
}
