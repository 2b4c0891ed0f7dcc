import Bookings
import Support
import SystemPackage
import Testing

@testable import Spool

@Suite struct SpoolProducerTests {
    private let root: TemporaryDirectory
    private let files: RecordingFileSystem
    private let producer: SpoolProducer
    private let directory: SpoolDirectory

    init() throws {
        root = try TemporaryDirectory()
        files = RecordingFileSystem(root: root.path)
        directory = SpoolDirectory(root: root.path)
        producer = SpoolProducer(directory, files: files)
        try producer.prepare()
        files.forget()
    }

    /// What is in `tmp/` beside the journal and the lock.
    private func unfinished() throws -> [String] {
        try root.names(in: "tmp").filter {
            ![".lock", ".journal-0", ".journal-1", ".journal-open"].contains($0)
        }
    }

    @Test func aGroupIsDurableInTheJournalBeforeItsFileIsMadeAndRenamed() throws {
        let group = [try message("u1"), try message("u2")]
        let name = "\(group[0].id).2.jsonl"
        try producer.enqueue(group)
        #expect(
            files.calls == [
                "write blocks tmp/.journal-0", "write unsynced tmp/.\(name)",
                "rename tmp/.\(name) incoming/\(name)",
            ])
        #expect(try root.read("incoming/\(name)").split(separator: "\n").count == 2)
    }

    @Test func withoutAJournalAGroupIsWrittenAndSyncedBeforeItIsRenamedAndTheDirectorySynced() throws {
        producer.finish()
        files.fail("open blocks tmp/.journal-0", with: .noSpace)
        try producer.prepare()
        files.forget()
        let group = [try message("u1"), try message("u2")]
        let name = "\(group[0].id).2.jsonl"
        try producer.enqueue(group)
        #expect(
            files.calls == ["write tmp/.\(name)", "rename tmp/.\(name) incoming/\(name)", "sync incoming"])
    }

    @Test(arguments: [
        "write blocks tmp/.journal-0", "write unsynced tmp/.NAME", "rename tmp/.NAME incoming/NAME",
    ])
    func aGroupThatCanNotBeMadeDurableLeavesNoTrace(step: String) throws {
        let group = [try message("u1")]
        let name = "\(group[0].id).1.jsonl"
        files.fail(step.replacing("NAME", with: name), with: .noSpace)
        #expect(throws: QueueUnavailable.self) { try producer.enqueue(group) }
        #expect(try unfinished().isEmpty)
        #expect(try root.names(in: "incoming").isEmpty)
        #expect(try JournalContents(directory, files: files).groups.isEmpty)
        try producer.enqueue(group)
        #expect(try root.names(in: "incoming") == [name])
    }

    @Test(arguments: ["write tmp/.NAME", "rename tmp/.NAME incoming/NAME", "sync incoming"])
    func neitherDoesOneWithoutAJournal(step: String) throws {
        producer.finish()
        files.fail("open blocks tmp/.journal-0", with: .noSpace)
        try producer.prepare()
        let group = [try message("u1")]
        let name = "\(group[0].id).1.jsonl"
        files.fail(step.replacing("NAME", with: name), with: .noSpace)
        #expect(throws: QueueUnavailable.self) { try producer.enqueue(group) }
        #expect(try unfinished().isEmpty)
        #expect(try root.names(in: "incoming").isEmpty)
        try producer.enqueue(group)
        #expect(try root.names(in: "incoming") == [name])
    }

    @Test func afterAFailedSyncTheJournalIsNotUsedAgain() throws {
        files.fail("write blocks tmp/.journal-0", with: .ioError)
        #expect(throws: QueueUnavailable.self) { try producer.enqueue([try message("u1")]) }
        files.forget()
        try producer.enqueue([try message("u2")])
        #expect(!files.calls.contains { $0.contains("journal") })
        #expect(files.calls.last == "sync incoming")
    }

    @Test func onlyTheFrontsOwnLeftoversAreSwept() throws {
        producer.finish()
        let left = "\(try message("u").id).3.jsonl"
        try root.write("half a li", to: "tmp/\(left)")
        try root.write("half a li", to: "tmp/.\(left)")
        try root.write("being written by hand", to: "tmp/mine.jsonl")
        try producer.prepare()
        #expect(Set(producer.takeLeftovers().swept) == [left, ".\(left)"])
        #expect(producer.takeLeftovers() == .init())
        #expect(try unfinished() == ["mine.jsonl"])
    }

    @Test func aSecondFrontIsRefusedAndTheFirstGoesOn() throws {
        let second = SpoolProducer(directory)
        let error = #expect(throws: QueueUnavailable.self) { try second.enqueue([try message("u1")]) }
        #expect(error?.reason.contains("Another front has this spool") == true)
        try producer.enqueue([try message("u2")])
        producer.finish()
        try second.enqueue([try message("u3")])
        #expect(try root.names(in: "incoming").count == 2)
    }
}
