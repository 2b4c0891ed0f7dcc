import Bookings
import Support
import Testing

@testable import Spool

/// What a power cut takes is taken by hand here: files that were not synced.
@Suite struct JournalTests {
    private let root: TemporaryDirectory
    private let directory: SpoolDirectory
    private let files = LocalFileSystem()

    init() throws {
        root = try TemporaryDirectory()
        directory = SpoolDirectory(root: root.path)
    }

    /// A front that dies without a word once `body` has used it.
    private func crash(_ body: (SpoolProducer) throws -> Void) throws {
        let producer = SpoolProducer(directory)
        try producer.prepare()
        try body(producer)
    }

    private func replayed(committed: Set<BookingID> = []) throws -> Int {
        let producer = SpoolProducer(directory) { committed.intersection($0) }
        defer { producer.finish() }
        try producer.prepare()
        return producer.takeLeftovers().replayedMessages
    }

    private func messages(_ range: Range<Int>) throws -> [Message] {
        try range.map { try message("u\($0)", at: 1_700_000_000_000 + Int64($0)) }
    }

    private func queued() throws -> [String] {
        let reader = SpoolReader(directory)
        var users: [String] = []
        for name in try reader.names(in: .incoming) {
            try reader.forEachMessage(in: .incoming, name) { message in
                users.append(message.request.userID)
                return true
            }
        }
        return users.sorted()
    }

    @Test func groupsWhoseFilesAreLostEmptyOrCutArePutBack() throws {
        let groups = [try messages(0..<3), try messages(3..<4), try messages(4..<9), try messages(9..<10)]
        try crash { producer in for group in groups { try producer.enqueue(group) } }
        let names = try root.names(in: "incoming").sorted()
        try files.remove(directory.path(.incoming, names[0]))
        try files.write([], to: directory.path(.incoming, names[1]), mode: 0o640)
        let content = try root.read("incoming/\(names[2])")
        try root.write(String(content.dropLast(200)), to: "incoming/\(names[2])")
        #expect(try replayed() == 9)
        #expect(try root.names(in: "incoming").sorted() == names)
        #expect(try queued() == (0..<10).map { "u\($0)" })
        #expect(try root.read("incoming/\(names[2])") == content)
        #expect(try replayed() == 0)
    }

    /// The worker had it in hand when the power went, and some of it in the table; the front starts first.
    @Test(arguments: [0, 2, 5], [0, 150, 2000])
    func whatIsLeftInActiveOfAFileThatTheFrontHasReplacedIsNoPoison(committed: Int, length: Int) throws {
        let group = try messages(0..<5)
        try crash { try $0.enqueue(group) }
        let name = try #require(try root.names(in: "incoming").first)
        let content = try root.read("incoming/\(name)")
        try files.remove(directory.path(.incoming, name))
        let left = min(length, content.utf8.count - 10)
        try root.write(String(content.prefix(left)), to: "active/\(name)")
        let done = Set(group.prefix(committed).map(\.id))
        #expect(try replayed(committed: done) == 5 - committed)

        var consumer = SpoolConsumer(directory)
        let now = Timestamp(milliseconds: 1_700_000_100_000)
        try consumer.start(at: now)
        let charged = try consumer.recover(
            upTo: 10, at: now, committed: { ids throws(TableUnavailable) in done.intersection(ids) },
            charge: { .deferred($0) })
        #expect(charged.isEmpty)
        try consumer.scan()
        let batch = try consumer.receive(upTo: 10, at: now)
        #expect(try batch.map { try $0.content.get().id } == group.dropFirst(committed).map(\.id))
        try consumer.settle(batch.map { ($0.receipt, .committed) }, at: now)
        #expect(try consumer.receive(upTo: 10, at: now).isEmpty)
        for place in ["incoming", "active", "deferred", "dead"] { #expect(try root.names(in: place).isEmpty) }
    }

    /// A message that was accepted alone has the file name that it has when it was deferred, whichever daemon starts
    /// first.
    @Test(arguments: ["incoming", "active", "deferred"], [true, false])
    func aMessageThatWasDeferredStaysAsTheWorkerLeftIt(place: String, isFrontFirst: Bool) throws {
        var message = try messages(0..<1)[0]
        try crash { try $0.enqueue([message]) }
        let name = try #require(try root.names(in: "incoming").first)
        try files.remove(directory.path(.incoming, name))
        message.receiveCount = 2
        message.attempts = [Attempt(on: message.acceptedOn, class: "FAILED", reason: "why")]
        let line = String(decoding: try MessageLine.encode(message), as: UTF8.self)
        try root.write(line, to: "\(place)/\(name)")
        if isFrontFirst { #expect(try replayed() == 0) }

        var consumer = SpoolConsumer(directory)
        let now = Timestamp(milliseconds: 1_700_000_100_000)
        try consumer.start(at: now)
        let charged = try consumer.recover(
            upTo: 10, at: now, committed: { _ throws(TableUnavailable) in [] },
            charge: { .deferred($0) })
        #expect(charged == (place == "active" ? [message.id] : []))
        #expect(!consumer.notices.contains { if case .replayed = $0 { true } else { false } })
        try consumer.scan()
        var count = 0
        for _ in 0..<3 {
            let batch = try consumer.receive(upTo: 10, at: now)
            count += batch.count
            for received in batch { #expect(try received.content.get().attempts == message.attempts) }
            try consumer.settle(batch.map { ($0.receipt, .committed) }, at: now)
        }
        #expect(count == 1)
        for place in ["incoming", "active", "deferred", "dead"] { #expect(try root.names(in: place).isEmpty) }
    }

    @Test func whatIsInTheTableDeferredDeadOrDeletedIsLeftAlone() throws {
        let group = try messages(0..<6)
        try crash { try $0.enqueue(group) }
        let name = try #require(try root.names(in: "incoming").first)
        try files.remove(directory.path(.incoming, name))
        for (place, message) in [("deferred", group[1]), ("active", group[2])] {
            let line = String(decoding: try MessageLine.encode(message), as: UTF8.self)
            try root.write(line, to: "\(place)/\(SpoolFileName.make(first: message.id, count: 1))")
        }
        try root.write(try letter(group[3]), to: "dead/\(DeadLetterFile.name(group[3].id))")
        try root.write("x", to: "dead/\(DeadLetterFile.deletedName(group[4].id))")
        #expect(try replayed(committed: [group[0].id]) == 1)
        #expect(try queued() == ["u5"])
    }

    private func letter(_ message: Message) throws -> String {
        let body = try MessageLine.encode(message).dropLast()
        let letter = DeadLetterFile(
            id: message.id, class: .exhausted, reason: "why", deadOn: message.acceptedOn, receiveCount: 10,
            attempts: [], fromFile: "f", fromLine: 1, bodySize: body.count)
        return String(decoding: try letter.header(for: [.bytes(Array(body))]) + body, as: UTF8.self)
    }

    @Test func whatOnlyBearsTheNameOfAMessageDoesNotKeepItFromBeingPutBack() throws {
        let group = try messages(0..<4)
        try crash { try $0.enqueue(group) }
        let name = try #require(try root.names(in: "incoming").first)
        try files.remove(directory.path(.incoming, name))
        let other = String(decoding: try MessageLine.encode(group[3]), as: UTF8.self)
        try root.write(other, to: "deferred/\(SpoolFileName.make(first: group[0].id, count: 1))")
        try root.write(
            try letter(group[1]).replacing("\"u1\"", with: "\"u7\""),
            to: "dead/\(DeadLetterFile.name(group[1].id))")
        try root.write(try letter(group[3]), to: "dead/\(DeadLetterFile.name(group[2].id))")
        #expect(try replayed() == 4)
        #expect(try queued() == ["u0", "u1", "u2", "u3"])
    }

    @Test func aFileOfAnotherGroupUnderTheNameOfOneIsKept() throws {
        let (first, second) = (try messages(0..<2), try messages(2..<4))
        try crash { try $0.enqueue(first) }
        let name = try #require(try root.names(in: "incoming").first)
        let others = try second.flatMap(MessageLine.encode)
        try root.write(String(decoding: others, as: UTF8.self), to: "incoming/\(name)")
        #expect(try replayed() == 2)
        #expect(try queued() == ["u0", "u1", "u2", "u3"])
    }

    @Test func aSegmentWithoutItsBeginningIsReplayedAllTheSameAndKept() throws {
        try crash { producer in for index in 0..<5 { try producer.enqueue(try messages(index..<(index + 1))) }
        }
        try overwrite(at: 0)
        for name in try root.names(in: "incoming") { try files.remove(directory.path(.incoming, name)) }
        let damaged = try root.bytes("tmp/.journal-0")
        let producer = SpoolProducer(directory)
        defer { producer.finish() }
        try producer.prepare()
        let leftovers = producer.takeLeftovers()
        #expect(leftovers.replayedMessages == 5)
        #expect(leftovers.damagedSegments == [".journal-0": 1])
        #expect(try root.bytes("tmp/\(SpoolJournal.damagedName(".journal-0", 1))") == damaged)
        #expect(try queued().count == 5)
    }

    @Test func aNewerJournalAndANewerSpoolAreNotTouched() throws {
        try crash { try $0.enqueue(try messages(0..<1)) }
        let header = Array("acms-journal 2 epoch=1 something=else crc32c=00000000".utf8)
        let file = try files.openBlocks(
            directory.path(.tmp, ".journal-1"), bytes: SpoolJournal.segmentBytes, mode: 0o640)
        try files.write(header, at: 0, of: file)
        let before = try ["tmp/.journal-0", "tmp/.journal-1"].map(root.bytes)
        let refusal = #expect(throws: QueueUnavailable.self) { try SpoolProducer(directory).prepare() }
        #expect(refusal?.reason.contains("newer version of acms") == true)
        #expect(try ["tmp/.journal-0", "tmp/.journal-1"].map(root.bytes) == before)

        try root.write("2\n", to: "format")
        try files.remove(directory.path(.tmp, ".journal-1"))
        var consumer = SpoolConsumer(directory)
        #expect(throws: QueueUnavailable.self) { try consumer.start(at: .now()) }
        #expect(throws: QueueUnavailable.self) { try SpoolProducer(directory).prepare() }
        try root.write("1\n", to: "format")
        try SpoolProducer(directory).prepare()
    }

    @Test func aFlippedBitInTheVersionIsDamageAndNoNewerVersion() throws {
        try crash { try $0.enqueue(try messages(0..<1)) }
        let file = try files.openBlocks(
            directory.path(.tmp, ".journal-0"), bytes: SpoolJournal.segmentBytes, mode: 0o640)
        try files.write(Array("acms-journal 3".utf8), at: 0, of: file)
        #expect(try JournalContents(directory, files: files).damage.map(\.offset) == [0])
    }

    @Test func aFrontThatEndedInGoodOrderLeavesNothingToReplay() throws {
        let producer = SpoolProducer(directory)
        try producer.prepare()
        try producer.enqueue(try messages(0..<3))
        producer.finish()
        for name in try root.names(in: "incoming") { try files.remove(directory.path(.incoming, name)) }
        #expect(try replayed() == 0)
        #expect(try queued().isEmpty)
    }

    @Test func aGroupThatIsCutOffAtTheEndWasNeverAnsweredAndIsNoDamage() throws {
        try crash { producer in
            try producer.enqueue(try messages(0..<3))
            try producer.enqueue(try messages(3..<40))
        }
        try overwrite(at: 3 * JournalGroup.blockBytes)
        for name in try root.names(in: "incoming") { try files.remove(directory.path(.incoming, name)) }
        let contents = try JournalContents(directory, files: files)
        #expect(contents.groups.map { $0.messages.count } == [3])
        #expect(contents.damage.isEmpty)
    }

    @Test func groupsBehindDamageAreFoundAndTheDamageIsTold() throws {
        try crash { producer in for index in 0..<5 { try producer.enqueue(try messages(index..<(index + 1))) }
        }
        try overwrite(at: 2 * JournalGroup.blockBytes)
        let contents = try JournalContents(directory, files: files)
        #expect(
            contents.groups.map { $0.messages.first?.message.request.userID } == ["u0", "u2", "u3", "u4"])
        #expect(contents.damage == [.init(segment: ".journal-0", offset: 2 * JournalGroup.blockBytes)])
    }

    private func overwrite(at offset: Int) throws {
        let file = try files.openBlocks(
            directory.path(.tmp, ".journal-0"), bytes: SpoolJournal.segmentBytes, mode: 0o640)
        try files.write([UInt8](repeating: 7, count: 100), at: offset, of: file)
    }

    @Test func segmentsAreUsedInTurnAndOnlyTheLastTwoUsesAreLive() throws {
        let count = 3 * SpoolJournal.segmentBytes / (100 * JournalGroup.blockBytes)
        let large = try messages(0..<1100)
        try crash { producer in
            for round in 0..<count {
                let group = try large.map { message in
                    try other(message, round)
                }
                try producer.enqueue(group)
            }
        }
        let contents = try JournalContents(directory, files: files)
        #expect(Set(contents.groups.map(\.epoch)).count <= 2)
        #expect(contents.groups.count < count)
        let last = try #require(contents.groups.last)
        #expect(last.messages.last?.message.request.userID == "r\(count - 1)-1099")
        #expect(try replayed() == 0)
    }

    /// The same place in a group, another booking.
    private func other(_ message: Message, _ round: Int) throws -> Message {
        let index = message.acceptedOn.milliseconds - 1_700_000_000_000
        return try booking("r\(round)-\(index)", message.acceptedOn.milliseconds)
    }

    private func booking(_ user: String, _ time: Int64) throws -> Message { try message(user, at: time) }

    @Test(arguments: [0, 1, 100, 4096 - 256, 4096, 70_000])
    func aGroupIsReadAsItWasWritten(_ length: Int) throws {
        let lines = (0..<length).map { UInt8(truncatingIfNeeded: $0 % 251) }
        let group = JournalGroup(epoch: 7, key: .max, settledEpoch: 6, name: "n.1.jsonl", lines: lines)
        let blocks = group.blocks
        #expect(blocks.count == JournalGroup.size(ofLines: length))
        #expect(blocks.count % JournalGroup.blockBytes == 0)
        #expect(JournalGroup(blocks, at: 0) == group)
        for index in stride(from: 0, to: JournalGroup.headerBytes + length, by: max(1, length / 300)) {
            var damaged = blocks
            damaged[index] ^= 1
            let read = JournalGroup(damaged, at: 0)
            // The padding of the header is not covered, and says nothing.
            #expect(read == nil || read == group)
        }
    }
}
