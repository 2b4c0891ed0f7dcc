import Bookings
import Support
import Testing

@testable import Spool

@Suite struct SpoolReaderTests {
    private let root: TemporaryDirectory
    private let directory: SpoolDirectory

    init() throws {
        root = try TemporaryDirectory()
        directory = SpoolDirectory(root: root.path)
        try directory.makeMissing(using: LocalFileSystem())
    }

    @Test func entriesAreReadInTheOrderOfTheirNamesHoweverManyThereAre() throws {
        let lines =
            #"{"input":{"userId":"u","apartmentId":"a","startDate":"2026-01-01","endDate":"2026-01-02"}}"#
        for number in 0..<1500 {
            let text = Array(repeating: lines, count: number % 3).joined(separator: "\nnonsense\n\n")
            try root.write(text, to: "incoming/\(10_000 + number)")
        }
        try root.write(lines, to: "incoming/.hidden")
        let reader = SpoolReader(directory)
        let names = try reader.entries(in: .incoming)
        #expect(names.map(\.description) == (0..<1500).map { String(10_000 + $0) })
        var found: [[BookingID]] = []
        try reader.readEntries(names, in: .incoming, keeping: \.id) { name, ids, bytes in
            #expect(name == names[found.count])
            #expect((try? root.read("incoming/\(name)").utf8.count) == bytes)
            found.append(ids)
        }
        #expect(found.map(\.count) == (0..<1500).map { $0 % 3 })
        #expect(found[2] == [1, 4].map { .derived(fileName: "10002", line: $0) })
    }

    @Test func anEntryThatIsGoneHasNoLengthAndAnOddOneHasNoMessages() throws {
        try root.write("x", to: "incoming/b")
        let names = ["a", "b"].map { EntryName($0) }
        var lengths: [Int?] = []
        try SpoolReader(directory).readEntries(names, in: .incoming, keeping: \.id) { _, ids, bytes in
            #expect(ids.isEmpty)
            lengths.append(bytes)
        }
        #expect(lengths == [nil, 1])
    }
}
