import Bookings
import Synchronization
import Testing

@testable import PostgreSQL

@Suite struct RaceTests {
    private let maker = MessageMaker()

    @Test func `of many fronts that book the same at once one wins, and the others learn who`() async throws {
        let database = try Database()
        let queues = (0..<8).map { _ in database.queue() }
        for queue in queues { _ = try queue.counts() }
        for round in 0..<20 {
            let messages = try queues.map { _ in try maker.message("u\(round)", key: "k\(round)") }
            let verdicts = try await concurrently(
                zip(queues, messages).map { queue, message in { try queue.accept([message], again: false)[0] }
                })
            let winners = zip(messages, verdicts).filter { $0.1 == .accepted }.map(\.0.id)
            let winner = try #require(winners.first)
            #expect(winners.count == 1)
            #expect(verdicts.allSatisfy { $0 == .accepted || $0 == .repeats(winner) })
        }
        #expect(try database.sql("SELECT count(*) FROM messages") == "20\n")
    }

    @Test func `a claim is never free while its booking moves from the queue to the table`() async throws {
        let database = try Database()
        let progress = Progress()
        let fronts = 3
        let worker: @Sendable () throws -> Int = {
            let consumer = database.consumer()
            let table = PostgresTable(consumer)
            while progress.finished.load(ordering: .relaxed) < fronts {
                let batch = try consumer.receive(upTo: 10, at: .now())
                let messages = try batch.map { try $0.content.get() }
                let outcomes = try table.apply(messages, deadLettered: 0)
                guard outcomes.allSatisfy({ $0 == .committed }) else {
                    throw DatabaseTrouble(.lost, "Two had the claim: \(outcomes)")
                }
                try consumer.settle(batch.map { ($0.receipt, .committed) }, at: .now())
                // Then the next one may be booked.
                for message in messages { _ = try table.cancel(message.id, at: .now()) }
            }
            return 0
        }
        let front: @Sendable () throws -> Int = { [maker] in
            defer { progress.finished.add(1, ordering: .relaxed) }
            let queue = database.queue()
            var count = 0
            for _ in 0..<200 {
                let messages = [try maker.message("u"), try maker.message("v")]
                count += try queue.accept(messages, again: false).count { $0 == .accepted }
            }
            return count
        }
        let accepted = try await concurrently(
            Array(repeating: worker, count: 2) + Array(repeating: front, count: fronts)
        ).reduce(0, +)
        let rest = try #require(Int(try database.sql("SELECT count(*) FROM messages").dropLast()))
        let rows = try #require(Int(try database.sql("SELECT count(*) FROM bookings").dropLast()))
        #expect(rows + rest == accepted && rows > 10)
    }

    @Test func `two approvals that overlap never both succeed`() async throws {
        let database = try Database()
        let worker = database.consumer()
        let tables = (0..<4).map { _ in PostgresTable(database.consumer()) }
        for table in tables { _ = try table.totals() }
        for round in 0..<15 {
            let messages = try (0..<4).map { number in
                try maker.message("u\(number)", "A\(round)", from: "2026-12-0\(number + 1)", to: "2026-12-20")
            }
            _ = try database.queue().accept(messages, again: false)
            let batch = try worker.receive(upTo: 10, at: .now()).map { try $0.content.get() }
            _ = try PostgresTable(worker).apply(batch, deadLettered: 0)
            let decisions = try await concurrently(
                zip(tables, messages).map { table, message in { try table.approve(message.id, at: .now()) } })
            let approved = decisions.count { if case .decided = $0 { true } else { false } }
            #expect(approved == 1, "\(decisions)")
            let statuses = try database.sql(
                "SELECT booking_status, count(*) FROM bookings WHERE apartment_id = 'A\(round)' GROUP BY 1 ORDER BY 1"
            )
            #expect(statuses == "APPROVED|1\nCANCELLED|3\n")
        }
    }
}

private final class Progress: Sendable {
    /// How many fronts are done.
    let finished = Atomic(0)
}
