import Bookings
import Support
import Testing

@testable import Spool

@Suite struct RecoveryTests {
    private let root: TemporaryDirectory
    private let directory: SpoolDirectory
    private let producer: SpoolProducer
    private let now = Timestamp(milliseconds: 1_700_000_100_000)

    init() throws {
        root = try TemporaryDirectory()
        directory = SpoolDirectory(root: root.path)
        producer = SpoolProducer(directory)
        try producer.prepare()
    }

    /// What the worker does with a message that may have killed it.
    private func charge(_ message: Message) -> Settlement {
        var charged = message
        charged.receiveCount += 1
        charged.attempts.append(Attempt(on: now, class: Attempt.crash, reason: "crash"))
        charged.notBefore = now
        return charged.receiveCount < 3
            ? .deferred(charged)
            : .dead(.crash, reason: "crash", attempts: charged.attempts, receiveCount: charged.receiveCount)
    }

    private func start(committed: Set<BookingID>) throws -> (SpoolConsumer, [BookingID]) {
        var consumer = SpoolConsumer(directory)
        try consumer.start(at: now)
        let charged = try consumer.recover(
            upTo: 10, at: now, committed: { ids throws(TableUnavailable) in committed.intersection(ids) },
            charge: charge)
        try consumer.scan()
        return (consumer, charged)
    }

    @Test func onlyTheFirstUnsettledMessagesAreChargedAndTriedAlone() throws {
        let messages = try (0..<30).map { try message("u\($0)", at: 1_700_000_000_000 + Int64($0)) }
        try producer.enqueue(messages)
        var killed = SpoolConsumer(directory)
        try killed.start(at: now)
        try killed.scan()
        let first = try killed.receive(upTo: 10, at: now)
        try killed.settle(first.map { ($0.receipt, .committed) }, at: now)
        _ = try killed.receive(upTo: 10, at: now)

        var (consumer, charged) = try start(committed: Set(messages.prefix(10).map(\.id)))
        #expect(charged == messages[10..<20].map(\.id))
        #expect(try root.names(in: "active").isEmpty)
        var order: [(BookingID, Int, Bool)] = []
        while true {
            let batch = try consumer.receive(upTo: 10, at: now)
            if batch.isEmpty, consumer.isEmpty { break }
            for received in batch {
                let message = try received.content.get()
                order.append((message.id, message.receiveCount, received.alone))
            }
            if batch.contains(where: \.alone) { #expect(batch.count == 1) }
            try consumer.settle(batch.map { ($0.receipt, .committed) }, at: now)
        }
        #expect(order.prefix(10).map(\.0) == messages[10..<20].map(\.id))
        #expect(order.prefix(10).allSatisfy { $0.1 == 1 && $0.2 })
        // The rest of the file comes uncharged; its settled lines come again, and are no-ops for the table.
        #expect(order.dropFirst(10).map(\.0) == messages.map(\.id))
        #expect(order.dropFirst(10).allSatisfy { $0.1 == 0 && !$0.2 })
    }

    @Test func aMessageThatKillsTheWorkerEachTimeIsDeadAndItsNeighboursAreNot() throws {
        let messages = try (0..<5).map { try message("u\($0)", at: 1_700_000_000_000 + Int64($0)) }
        let killer = messages[2].id
        try producer.enqueue(messages)
        var committed: Set<BookingID> = []
        for _ in 0..<10 {
            var (consumer, _) = try start(committed: committed)
            var hasDied = false
            while !hasDied {
                let batch = try consumer.receive(upTo: 10, at: now)
                if batch.isEmpty, consumer.isEmpty { break }
                hasDied = try batch.contains { try $0.content.get().id == killer }
                if hasDied { break }
                committed.formUnion(try batch.map { try $0.content.get().id })
                try consumer.settle(batch.map { ($0.receipt, .committed) }, at: now)
            }
            if !hasDied { break }
        }
        #expect(committed == Set(messages.map(\.id)).subtracting([killer]))
        let letter = try #require(try DeadLetterStore(directory).letter(killer, bodyBytes: 1000))
        #expect(letter.class == .crash)
        #expect(letter.receiveCount == 3)
        #expect(letter.attempts.count == 3)
        for place in ["incoming", "active", "deferred"] { #expect(try root.names(in: place).isEmpty) }
    }

    @Test func unfinishedLettersAreSwept() throws {
        for place in ["deferred", "dead"] { try root.write("half", to: "\(place)/.x.letter") }
        _ = try start(committed: [])
        for place in ["deferred", "dead"] { #expect(try root.names(in: place).isEmpty) }
    }

    @Test func aSecondLockIsRefusedUntilTheFirstIsGone() throws {
        var first: SpoolLock? = try SpoolLock(directory)
        #expect(throws: SpoolLock.Taken.self) { try SpoolLock(directory) }
        #expect(first != nil)
        first = nil
        #expect(throws: Never.self) { try SpoolLock(directory) }
    }
}
