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

    @Test func whatIsInTheTableDeferredDeadOrDeletedIsLeftAlone() throws {
        let group = try messages(0..<6)
        try crash { try $0.enqueue(group) }
        let name = try #require(try root.names(in: "incoming").first)
        try files.remove(directory.path(.incoming, name))
        try root.write("x", to: "deferred/\(SpoolFileName.make(first: group[1].id, count: 1))")
        try root.write("x", to: "active/\(SpoolFileName.make(first: group[2].id, count: 1))")
        try root.write("x", to: "dead/\(DeadLetterFile.name(group[3].id))")
        try root.write("x", to: "dead/\(DeadLetterFile.deletedName(group[4].id))")
        #expect(try replayed(committed: [group[0].id]) == 1)
        #expect(try queued() == ["u5"])
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
        #expect(contents.damagedStretches == 0)
    }

    @Test func groupsBehindDamageAreFoundAndTheDamageIsTold() throws {
        try crash { producer in for index in 0..<5 { try producer.enqueue(try messages(index..<(index + 1))) }
        }
        try overwrite(at: 2 * JournalGroup.blockBytes)
        let contents = try JournalContents(directory, files: files)
        #expect(
            contents.groups.map { $0.messages.first?.message.request.userID } == ["u0", "u2", "u3", "u4"])
        #expect(contents.damagedStretches == 1)
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
