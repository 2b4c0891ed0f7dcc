import Bookings
import Testing

@testable import PostgreSQL

@Suite struct LeaseTests {
    private let maker = MessageMaker()

    private func charge(_ message: Message) -> Settlement {
        var later = message
        later.receiveCount += 1
        later.attempts.append(Attempt(on: .now(), class: Attempt.crash, reason: "The worker died."))
        later.notBefore = .now()
        return .deferred(later)
    }

    @Test func `workers share what waits, and none gets what another has`() throws {
        let database = try Database()
        let messages = try (0..<30).map { try maker.message("u\($0)") }
        _ = try database.queue().accept(messages, again: false)
        let (first, second, third) = (database.consumer(), database.consumer(), database.consumer())
        let ids = try
            (first.receive(upTo: 10, at: .now()) + second.receive(upTo: 10, at: .now())
            + third.receive(upTo: 100, at: .now())).map { try $0.content.get().id }
        #expect(ids == messages.map(\.id))
        #expect(try second.receive(upTo: 10, at: .now()).isEmpty)
        let counts = try database.queue().counts()
        #expect(counts.active == 30 && counts.incoming == 0)
        try first.release()
        #expect(try database.queue().counts().incoming == 10)
    }

    @Test func `what a lost worker had comes back, charged, and its late commit does nothing`() throws {
        let database = try Database(lease: .seconds(1))
        let messages = try (0..<12).map { try maker.message("u\($0)") }
        _ = try database.queue().accept(messages, again: false)
        let lost = database.consumer()
        let held = try lost.receive(upTo: 12, at: .now()).map { try $0.content.get() }
        let other = database.consumer()
        #expect(try other.receive(upTo: 12, at: .now()).isEmpty && !other.needsRecovery)
        // The lease lapses by the server's clock, which is waited for.
        try database.sql("SELECT pg_sleep(1.1)")
        #expect(try other.receive(upTo: 12, at: .now()).isEmpty && other.needsRecovery)
        let charged = try other.recover(upTo: 10, at: .now(), committed: { _ in [] }, charge: charge)
        #expect(charged == messages.prefix(10).map(\.id) && !other.needsRecovery)

        let alone = try other.receive(upTo: 12, at: .now())
        #expect(alone.count == 1 && alone[0].alone, "what may have killed a worker is tried by itself")
        #expect(try alone[0].content.get().receiveCount == 1)
        // The lost worker thinks that it still has them.
        let outcomes = try PostgresTable(lost).apply(held, deadLettered: 0)
        #expect(outcomes == Array(repeating: .alreadyCommitted, count: 12))
        #expect(try database.sql("SELECT count(*) FROM bookings") == "0\n")
        #expect(try database.sql("SELECT count(*) FROM messages") == "12\n")
    }

    @Test func `a worker that wasn't told what it has received charges nobody`() throws {
        let database = try Database(lease: .seconds(1))
        let messages = try (0..<3).map { try maker.message("u\($0)") }
        _ = try database.queue().accept(messages, again: false)
        let worker = database.consumer()
        _ = try worker.receive(upTo: 3, at: .now())
        try database.sql("SELECT pg_sleep(1.1)")
        let again = try worker.receive(upTo: 3, at: .now())
        #expect(try again.map { try $0.content.get() }.map(\.receiveCount) == [0, 0, 0])
        #expect(!worker.needsRecovery)
    }

    @Test func `those that were not charged are tried few at a time`() throws {
        let database = try Database(lease: .seconds(1))
        let messages = try (0..<40).map { try maker.message("u\($0)") }
        _ = try database.queue().accept(messages, again: false)
        _ = try database.consumer().receive(upTo: 40, at: .now())
        try database.sql("SELECT pg_sleep(1.1)")
        let other = database.consumer()
        _ = try other.receive(upTo: 1500, at: .now())
        _ = try other.recover(upTo: 10, at: .now(), committed: { _ in [] }, charge: charge)
        var sizes: [Int] = []
        while case let batch = try other.receive(upTo: 1500, at: .now()), !batch.isEmpty {
            sizes.append(batch.count)
            let outcomes = try PostgresTable(other).apply(
                try batch.map { try $0.content.get() }, deadLettered: 0)
            #expect(outcomes.allSatisfy { $0 == .committed })
            try other.settle(batch.map { ($0.receipt, .committed) }, at: .now())
        }
        #expect(sizes == Array(repeating: 1, count: 10) + [10, 10, 10])
        #expect(try database.sql("SELECT count(*) FROM bookings") == "40\n")
    }

    @Test func `a pause waits for a commit that is under way, and no other follows`() async throws {
        let database = try Database()
        _ = try database.queue().accept([try maker.message("u")], again: false)
        let worker = database.consumer()
        let batch = try worker.receive(upTo: 10, at: .now()).map { try $0.content.get() }
        let link = DatabaseLink(database.target)
        let key = Lock.committing.key(database.target)
        // Somebody who is just committing.
        let committing = try Connection(database.target)
        try committing.run([Statement("BEGIN"), Statement("SELECT pg_advisory_xact_lock_shared(\(key))")])
        let pausing = Task.detached {
            try PostgresConsumer(PostgresQueue(link)).setPause(QueuePause(until: nil, since: .now(), uid: 7))
        }
        let waiting =
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND mode = 'ExclusiveLock'"
        while try database.sql(waiting) == "0\n" { await Task.yield() }
        #expect(try database.sql("SELECT is_paused FROM control") == "f\n")
        try committing.run([Statement("COMMIT")])
        try await pausing.value
        let refusal = #expect(throws: TableUnavailable.self) {
            try PostgresTable(worker).apply(batch, deadLettered: 0)
        }
        #expect(refusal?.kind == .paused)
        #expect(try database.consumer().receive(upTo: 10, at: .now()).isEmpty)
        #expect(try worker.pause()?.uid == 7)
        try worker.setPause(nil)
        #expect(try PostgresTable(worker).apply(batch, deadLettered: 0) == [.committed])
    }

    @Test func `a trigger that refuses one booking fails no other`() throws {
        let database = try Database()
        let messages = try ["a", "bad", "c"].map { try maker.message($0) }
        _ = try database.queue().accept(messages, again: false)
        try database.sql(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF NEW.user_id = 'bad' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER refusing BEFORE INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION refuse();
            """)
        let worker = database.consumer()
        let batch = try worker.receive(upTo: 10, at: .now()).map { try $0.content.get() }
        let outcomes = try PostgresTable(worker).apply(batch, deadLettered: 2)
        #expect(outcomes[0] == .committed && outcomes[2] == .committed)
        guard case .failed(let reason) = outcomes[1] else { throw DatabaseTrouble(.lost, "\(outcomes)") }
        #expect(reason.contains("not this one"))
        #expect(try database.sql("SELECT sum(committed), sum(dead_lettered) FROM totals") == "2|2\n")
        #expect(try database.sql("SELECT user_id FROM messages") == "bad\n")
    }
}
