import Bookings
import Glibc
import Support
import Testing

@testable import Spool

/// Looking for damage in a spool and mending it.
@Suite struct CheckTests {
    private let root: TemporaryDirectory
    private let directory: SpoolDirectory
    private let producer: SpoolProducer

    init() throws {
        root = try TemporaryDirectory()
        directory = SpoolDirectory(root: root.path)
        producer = SpoolProducer(directory)
        try producer.prepare()
    }

    private func found() throws -> [String] {
        try SpoolCheck(directory).run().map {
            "\($0.path.dropFirst(root.path.count + 1))\($0.line.map { ":\($0)" } ?? "")"
        }
    }

    private func repaired(committed: Set<BookingID> = []) throws -> [DamageFinding] {
        try SpoolRepair(directory) { committed.intersection($0) }.run()
    }

    private func queued() throws -> Set<String> {
        let reader = SpoolReader(directory)
        var users: Set<String> = []
        for place in [SpoolPlace.incoming, .active, .deferred] {
            for name in try reader.names(in: place) {
                try reader.forEachMessage(in: place, name) {
                    users.insert($0.request.userID).inserted || true
                }
            }
        }
        return users
    }

    private func group(_ range: Range<Int>) throws -> String {
        let group = try range.map { try message("u\($0)", at: 1_700_000_000_000 + Int64($0)) }
        try producer.enqueue(group)
        return try #require(SpoolProducer.fileName(of: group))
    }

    private func edit(_ name: String, _ edit: (inout [UInt8]) -> Void) throws {
        var bytes = Array(try root.bytes(name))
        edit(&bytes)
        chmod("\(root.path)/\(name)", 0o640)
        try LocalFileSystem().write([.bytes(bytes)], to: "\(root.path)/\(name)", mode: 0o640)
    }

    @Test func aSpoolInUseIsSound() throws {
        for index in 0..<5 { _ = try group((10 * index)..<(10 * index + 3)) }
        try root.write("not json\n{}\n", to: "incoming/by-hand")
        try root.write("half", to: "tmp/.01932b1c-7a5e-7d11-9c55-0242ac120002.1.jsonl")
        var consumer = SpoolConsumer(directory)
        try consumer.start(at: .now())
        try consumer.scan()
        _ = try consumer.receive(upTo: 4, at: .now())
        #expect(try found().isEmpty)
    }

    @Test func aDamagedLineIsTakenOutAndPutBackFromTheJournal() throws {
        let name = try group(0..<5)
        let before = try root.bytes("incoming/\(name)")
        try edit("incoming/\(name)") { $0[$0.count / 2] ^= 4 }
        let damaged = try root.bytes("incoming/\(name)")
        #expect(try found() == ["incoming/\(name):3"])
        producer.finish()
        let findings = try repaired()
        #expect(findings.count == 1 && findings[0].isRepaired == true)
        #expect(try queued() == ["u0", "u1", "u2", "u3", "u4"])
        #expect(try root.bytes("damaged/incoming_\(name)") == damaged)
        #expect(damaged != before)
        #expect(try found().isEmpty)
    }

    @Test func withoutAJournalTheOthersStayAndTheLostIsNamed() throws {
        let name = try group(0..<5)
        producer.finish()
        for segment in SpoolJournal.names { try LocalFileSystem().remove(directory.path(.tmp, segment)) }
        try edit("incoming/\(name)") { $0[$0.count / 2] ^= 4 }
        let findings = try repaired()
        #expect(findings.count == 1 && findings[0].repair.contains("Can't be recovered: "))
        #expect(try queued() == ["u0", "u1", "u3", "u4"])
        #expect(try found().isEmpty)
    }

    @Test func linesThatRanTogetherAreBothFound() throws {
        let name = try group(0..<3)
        producer.finish()
        for segment in SpoolJournal.names { try LocalFileSystem().remove(directory.path(.tmp, segment)) }
        try edit("incoming/\(name)") { $0[$0.firstIndex(of: 10) ?? 0] = 0x4a }
        #expect(try found().contains("incoming/\(name):1"))
        _ = try repaired()
        #expect(try queued() == ["u0", "u1", "u2"])
        #expect(try found().isEmpty)
    }

    @Test func everyBitOfAFileOfTheFrontsCounts() throws {
        let name = try group(0..<2)
        let bytes = Array(try root.bytes("incoming/\(name)"))
        let check = SpoolCheck(directory)
        // The last byte is a newline that nothing needs.
        for index in stride(from: 0, to: bytes.count - 1, by: 7) {
            try edit("incoming/\(name)") {
                $0 = bytes; $0[index] ^= UInt8(1) << UInt8(index % 8)
            }
            #expect(try !check.look().isEmpty, "byte \(index)")
        }
        for count in stride(from: 0, to: bytes.count - 1, by: 11) {
            try edit("incoming/\(name)") { $0 = Array(bytes.prefix(count)) }
            #expect(try !check.look().isEmpty, "cut at \(count)")
        }
    }

    @Test func copiesAndSwappedFilesAreTold() throws {
        let (first, second) = (try group(0..<2), try group(2..<4))
        let copy = SpoolFileName.make(first: BookingID.derived(fileName: "x", line: 1), count: 2)
        try root.write(try root.read("incoming/\(first)"), to: "incoming/\(copy)")
        let names = try found()
        #expect(Set(names) == ["incoming/\(copy)"] || names.contains("incoming/\(first)"))
        try LocalFileSystem().remove(directory.path(.incoming, copy))
        let text = try root.read("incoming/\(first)")
        let other = try root.read("incoming/\(second)")
        try edit("incoming/\(first)") { $0 = Array(other.utf8) }
        try edit("incoming/\(second)") { $0 = Array(text.utf8) }
        #expect(try Set(found()) == ["incoming/\(first)", "incoming/\(second)"])
        producer.finish()
        _ = try repaired()
        #expect(try queued() == ["u0", "u1", "u2", "u3"])
        #expect(try found().isEmpty)
    }

    @Test func oddEntriesAreToldAndSetAside() throws {
        let files = LocalFileSystem()
        try files.makeDirectory("\(root.path)/dead/odd", mode: 0o750)
        try files.makeDirectory("\(root.path)/tmp/.01932b1c-7a5e-7d11-9c55-0242ac120002.1.jsonl", mode: 0o750)
        symlink("/etc/passwd", "\(root.path)/incoming/link")
        try root.write("x", to: "whatever")
        try root.write("x", to: "paused")
        try root.write("x", to: "reserve")
        try root.write("", to: "dead/01932b1c-7a5e-7d11-9c55-0242ac120002.deleted")
        let expected: Set = [
            "dead/odd", "tmp/.01932b1c-7a5e-7d11-9c55-0242ac120002.1.jsonl", "incoming/link", "whatever",
            "paused",
            "reserve", "dead/01932b1c-7a5e-7d11-9c55-0242ac120002.deleted",
        ]
        #expect(try Set(found()) == expected)
        producer.finish()
        #expect(try repaired().allSatisfy { $0.isRepaired == true })
        #expect(try found().isEmpty)
    }

    @Test func nothingIsRepairedWhileADaemonUsesIt() throws {
        let name = try group(0..<2)
        try edit("incoming/\(name)") { $0[20] ^= 1 }
        let damaged = try root.bytes("incoming/\(name)")
        #expect(throws: SpoolLock.Taken.self) { try repaired() }
        producer.finish()
        let worker = try SpoolLock(directory)
        #expect(throws: SpoolLock.Taken.self) { try repaired() }
        withExtendedLifetime(worker) {}
        #expect(try root.bytes("incoming/\(name)") == damaged)
    }
}
