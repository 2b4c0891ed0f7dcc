import Bookings
import Testing

@testable import PostgreSQL

@Suite struct ForwardingTests {
    private let maker = MessageMaker()

    private func poison() -> Forwarded {
        .poison(
            Poison(id: .derived(fileName: "f", line: 1), reason: "The line is not JSON."),
            body: Array("x\u{0}y".utf8),
            size: 3)
    }

    @Test func `what was forwarded before is a no-op, whatever has become of it since`() throws {
        let database = try Database()
        let (queue, worker) = (database.queue(), database.consumer())
        let (good, deleted) = (try maker.message("good"), try maker.message("deleted"))
        let items: [Forwarded] = [.message(good), .message(deleted), poison()]
        #expect(
            try queue.forward(items, from: "spool", at: .now()).map { $0?.reason } == [
                nil, nil, "The line is not JSON.",
            ])
        let batch = try worker.receive(upTo: 10, at: .now())
        #expect(batch.count == 2)
        _ = try PostgresTable(worker).apply([good], deadLettered: 0)
        try worker.settle(
            batch.map { received in
                let isGood = (try? received.content.get())?.id == good.id
                return (
                    received.receipt,
                    isGood ? .committed : .dead(.exhausted, reason: "r", attempts: [], receiveCount: 1)
                )
            }, at: .now())
        let letter = try #require(
            try PostgresQueueReader(queue.link).letter(.derived(fileName: "f", line: 1)))
        #expect(letter.bodySize == 3 && letter.bodyIsBase64)
        #expect(try worker.delete([deleted.id, .derived(fileName: "f", line: 1)]).isEmpty)
        #expect(try queue.forward(items, from: "spool", at: .now()) == [nil, nil, nil])
        #expect(try database.sql("SELECT count(*) FROM messages") == "0\n")
        #expect(try database.sql("SELECT count(*) FROM bookings") == "1\n")
        #expect(try database.sql("SELECT sum(dead_lettered) FROM totals") == "1\n")
        // Once it can't come again by itself, somebody who puts the same in again means it.
        try queue.forget(items.map(\.mark))
        #expect(try queue.forward(items, from: "spool", at: .now())[2] != nil)
        #expect(try database.sql("SELECT count(*) FROM bookings") == "1\n", "its id is in the table")
    }

    @Test func `who comes second becomes a dead letter with the reason, and claims nothing`() throws {
        let database = try Database()
        let queue = database.queue()
        let first = try maker.message("u", key: "k")
        #expect(try queue.accept([first], again: false) == [.accepted])
        let claim = try maker.message("u")
        let key = try maker.message("u", "B", key: "k")
        let same = try maker.message("u", key: "k")
        let letters = try queue.forward(
            [.message(claim), .message(key), .message(same)], from: "spool", at: .now())
        let reasons = letters.map { $0?.reason }
        #expect(letters.map { $0?.id } == [claim.id, key.id, same.id])
        #expect(reasons[0]?.contains("the PENDING booking \(first.id) (QUEUED)") == true)
        #expect(reasons[1]?.contains("used its idempotencyKey for the booking \(first.id)") == true)
        #expect(reasons[2]?.contains("used its idempotencyKey for the booking \(first.id)") == true)
        #expect(try database.sql("SELECT count(*) FROM messages WHERE place = 'DEAD' AND NOT holds") == "3\n")
        #expect(try queue.accept([try maker.message("u", "B")], again: false) == [.accepted])
    }

    @Test func `an apartment that was given away meanwhile keeps nobody's promise from being kept`() throws {
        let database = try Database()
        let (queue, worker) = (database.queue(), database.consumer())
        let first = try maker.message("u")
        _ = try queue.accept([first], again: false)
        _ = try worker.receive(upTo: 10, at: .now())
        _ = try PostgresTable(worker).apply([first], deadLettered: 0)
        _ = try PostgresTable(worker).approve(first.id, at: .now())
        #expect(try queue.forward([.message(try maker.message("v"))], from: "spool", at: .now()) == [nil])
        #expect(try database.sql("SELECT place FROM messages") == "QUEUED\n")
    }

    @Test func `what bears an id that something else has becomes a letter under one of its own`() throws {
        let database = try Database()
        let queue = database.queue()
        let first = try maker.message("u")
        var second = try maker.message("v")
        second.id = first.id
        func poison(_ text: String) -> Forwarded {
            let id = BookingID.derived(fileName: "daily", line: 1)
            return .poison(Poison(id: id, reason: text), body: Array(text.utf8), size: text.utf8.count)
        }
        func poisonousCopy() -> Forwarded {
            .poison(Poison(id: first.id, reason: "bad"), body: [1], size: 1)
        }
        let items: [Forwarded] = [
            .message(first), .message(second), poison("Monday"), poison("Tuesday"), poisonousCopy(),
        ]
        let letters = try queue.forward(items, from: "spool", at: .now())
        #expect(letters[0] == nil)
        #expect(letters[1]?.reason.contains("belongs to another booking") == true)
        #expect(letters[2]?.id == .derived(fileName: "daily", line: 1))
        #expect(Set(letters.compactMap { $0?.id }).count == 4)
        let reader = PostgresQueueReader(queue.link)
        for letter in letters.compactMap(\.self) {
            #expect(try reader.letter(letter.id)?.reason == letter.reason)
        }
        // The very same once more, by somebody's hand.
        try queue.forget(items.map(\.mark))
        #expect(try queue.forward(items, from: "spool", at: .now()) == [nil, nil, nil, nil, nil])
        // What lost nothing but its id can be booked under the other one.
        let worker = database.consumer()
        let other = try #require(letters[1]?.id)
        let revived = try worker.redrivable(other, matching: nil, replacing: nil)
        #expect(try worker.redrive([revived], as: .version7(at: .now(), random: (1, 1))).isEmpty)
        #expect(try worker.receive(upTo: 10, at: .now()).map { try $0.content.get().id }.contains(other))
        #expect(try database.sql("SELECT count(*) FROM messages") == "5\n")
        #expect(try database.sql("SELECT sum(dead_lettered) FROM totals") == "4\n")
    }

    @Test func `what comes first wins, whatever names it bears`() throws {
        let database = try Database()
        let queue = database.queue()
        // The names sort the other way round.
        let first = try maker.message("u", "Z", key: "k")
        let second = try maker.message("u", "A", key: "k")
        let hindered = try maker.message("v", "Z", key: "k")
        #expect(try queue.accept([hindered], again: false) == [.accepted])
        let loser = try maker.message("v", "Z", key: "l")
        let winner = try maker.message("v", "B", key: "l")
        let late = try maker.message("v", "B", key: "m")
        let messages = [first, second, loser, winner, late]
        let letters = try queue.forward(messages.map { .message($0) }, from: "spool", at: .now())
        #expect(letters.map { $0?.id } == [nil, second.id, loser.id, nil, late.id])
        #expect(letters[1]?.reason.contains("\(first.id), which was accepted first") == true)
        #expect(letters[4]?.reason.contains("PENDING booking \(winner.id) (QUEUED)") == true)
    }
}
