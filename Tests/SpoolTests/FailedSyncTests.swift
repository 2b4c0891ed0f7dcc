import Bookings
import Support
import SystemPackage
import Testing

@testable import Spool

/// After a sync that failed, what it was to make durable is written again: the next sync succeeds without it.
@Suite struct FailedSyncTests {
    private let root: TemporaryDirectory
    private let directory: SpoolDirectory
    private let files: RecordingFileSystem
    private let now = Timestamp(milliseconds: 1_700_000_100_000)

    init() throws {
        root = try TemporaryDirectory()
        directory = SpoolDirectory(root: root.path)
        files = RecordingFileSystem(root: root.path)
    }

    /// Fills segments until one can't be had because the one before it could not be settled.
    ///
    /// - Returns: the groups that were accepted, as far as the journal still holds them.
    private func failToSettle(_ producer: SpoolProducer, with errno: Errno) throws -> [[Message]] {
        files.fail("sync file system \(root.path)", with: errno)
        let long = String(repeating: "\"", count: 256)
        var accepted: [[Message]] = []
        while accepted.count < 1000 {
            let time = 1_700_000_000_000 + Int64(accepted.count) * 1000
            let group = try (0..<700).map {
                try message("u\(accepted.count)-\($0)", long, at: time + Int64($0))
            }
            do {
                try producer.enqueue(group)
            } catch {
                return accepted
            }
            accepted.append(group)
        }
        return []
    }

    @Test(arguments: [Errno.ioError, .noSpace])
    func aSegmentThatCantBeSettledEndsTheJournalAndKeepsWhatWasAnswered(errno: Errno) throws {
        let producer = SpoolProducer(directory, files: files)
        try producer.prepare()
        let accepted = try failToSettle(producer, with: errno)
        let last = try #require(accepted.last?.first?.id)
        let contents = try JournalContents(directory, files: files)
        #expect(contents.groups.last?.messages.first?.message.id == last)
        #expect(contents.groups.count == accepted.count)

        let next = try message("next")
        try producer.enqueue([next])
        #expect(files.calls.suffix(3).last == "sync incoming", "it is durable by itself")
    }

    @Test func afterASegmentThatCouldNotBeSettledTheNextStartMakesItsFilesAnew() throws {
        let producer = SpoolProducer(directory, files: files)
        try producer.prepare()
        let names = try failToSettle(producer, with: .ioError).compactMap(SpoolProducer.fileName(of:))
        #expect(try root.names(in: "incoming").sorted() == names)
        producer.finish()
        files.forget()

        let second = SpoolProducer(directory, files: files)
        try second.prepare()
        let remade = names.map { ["write tmp/.\($0)", "rename tmp/.\($0) incoming/\($0)"] }.joined()
        #expect(files.calls.filter { $0.contains(".jsonl") } == Array(remade))
        #expect(try root.names(in: "incoming").sorted() == names)
        second.finish()
        files.forget()
        try SpoolProducer(directory, files: files).prepare()
        #expect(!files.calls.contains { $0.contains(".jsonl") })
    }

    @Test func aReplayWhoseFilesCouldNotBeSyncedMakesThemAnew() throws {
        let lost = try message("u")
        try SpoolProducer(directory).enqueue([lost])
        let name = try #require(try root.names(in: "incoming").first)
        try files.remove(directory.path(.incoming, name))
        let producer = SpoolProducer(directory, files: files)
        files.fail("sync incoming", with: .ioError)
        #expect(throws: QueueUnavailable.self) { try producer.prepare() }
        files.forget()
        try producer.prepare()
        #expect(files.calls.contains("rename tmp/.\(name) incoming/\(name)"))
    }

    @Test func aLetterIsWrittenAgain() throws {
        let dying = try message("u")
        try SpoolProducer(directory).enqueue([dying])
        var consumer = SpoolConsumer(directory, files: files)
        try consumer.start(at: now)
        try consumer.scan()
        let receipt = try #require(try consumer.receive(upTo: 1, at: now).first?.receipt)
        let settlement = Settlement.dead(.poison, reason: "why", attempts: [], receiveCount: 1)
        files.fail("sync dead", with: .ioError)
        #expect(throws: QueueUnavailable.self) { try consumer.settle([(receipt, settlement)], at: now) }
        files.forget()
        try consumer.settle([(receipt, settlement)], at: now)
        let letter = DeadLetterFile.name(dying.id)
        #expect(
            files.calls.prefix(3) == [
                "write dead/.\(letter)", "rename dead/.\(letter) dead/\(letter)", "sync dead",
            ])
        #expect(try root.names(in: "dead") == [letter])
    }

    @Test func whatARecoveryChargedIsWrittenAgainAndChargedOnce() throws {
        let charged = try message("u")
        try SpoolProducer(directory).enqueue([charged])
        var killed = SpoolConsumer(directory)
        try killed.start(at: now)
        try killed.scan()
        _ = try killed.receive(upTo: 1, at: now)

        var consumer = SpoolConsumer(directory, files: files)
        try consumer.start(at: now)
        func recover() throws -> [BookingID] {
            try consumer.recover(
                upTo: 10, at: now, committed: { _ throws(TableUnavailable) in [] },
                charge: { message in
                    var message = message
                    message.receiveCount += 1
                    message.notBefore = now
                    return .deferred(message)
                })
        }
        files.fail("sync deferred", with: .ioError)
        #expect(throws: QueueUnavailable.self) { try recover() }
        files.forget()
        #expect(try recover() == [charged.id])
        let name = SpoolFileName.make(first: charged.id, count: 1)
        #expect(files.calls.contains("rename deferred/.\(name) deferred/\(name)"))
        #expect(try root.names(in: "active").isEmpty)
        #expect(try consumer.storedMessage(.deferred, name)?.receiveCount == charged.receiveCount + 1)
    }
}
