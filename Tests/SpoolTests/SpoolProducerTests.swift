import Bookings
import Support
import SystemPackage
import Testing

@testable import Spool

@Suite struct SpoolProducerTests {
    private let root: TemporaryDirectory
    private let files: RecordingFileSystem
    private let producer: SpoolProducer

    init() throws {
        root = try TemporaryDirectory()
        files = RecordingFileSystem(root: root.path)
        producer = SpoolProducer(SpoolDirectory(root: root.path), files: files)
        _ = try producer.prepare()
    }

    @Test func aGroupIsWrittenAndSyncedBeforeItIsRenamedAndTheDirectorySynced() throws {
        let group = [try message("u1"), try message("u2")]
        let name = "\(group[0].id).2.jsonl"
        try producer.enqueue(group)
        #expect(files.calls == ["write tmp/\(name)", "rename tmp/\(name) incoming/\(name)", "sync incoming"])
        #expect(try root.read("incoming/\(name)").split(separator: "\n").count == 2)
    }

    @Test(arguments: ["write tmp/NAME", "rename tmp/NAME incoming/NAME", "sync incoming"])
    func aGroupThatCanNotBeMadeDurableLeavesNoTrace(step: String) throws {
        let group = [try message("u1")]
        let name = "\(group[0].id).1.jsonl"
        files.fail(step.replacing("NAME", with: name), with: .noSpace)
        #expect(throws: QueueUnavailable.self) { try producer.enqueue(group) }
        #expect(try root.names(in: "tmp").isEmpty)
        #expect(try root.names(in: "incoming").isEmpty)
        try producer.enqueue(group)
        #expect(try root.names(in: "incoming") == [name])
    }

    @Test func onlyTheFrontsOwnLeftoversAreSwept() throws {
        let left = "\(try message("u").id).3.jsonl"
        try root.write("half a li", to: "tmp/\(left)")
        try root.write("being written by hand", to: "tmp/mine.jsonl")
        #expect(try producer.prepare() == [left])
        #expect(try root.names(in: "tmp") == ["mine.jsonl"])
    }
}
