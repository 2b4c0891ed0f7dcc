import Support
import Testing

@testable import Spool

@Suite struct LineReaderTests {
    private func lines(_ text: String) throws -> [(number: Int, offset: Int, text: String?)] {
        let directory = try TemporaryDirectory()
        try directory.write(text, to: "f")
        var reader = LineReader(try LocalFileSystem().open("\(directory.path)/f"))
        var lines: [(Int, Int, String?)] = []
        while let line = try reader.next() {
            lines.append((line.number, line.offset, line.bytes.map { String(decoding: $0, as: UTF8.self) }))
        }
        return lines
    }

    @Test func aFileWithoutALastNewlineLosesNothing() throws {
        #expect(try lines("a\n\nbc").map(\.text) == ["a", "", "bc"])
        #expect(try lines("a\n").map(\.text) == ["a"])
        #expect(try lines("").isEmpty)
        #expect(try lines("\n").map(\.text) == [""])
    }

    @Test(arguments: [-2, -1, 0, 1, 2])
    func linesThatEndAtTheEdgeOfARead(shift: Int) throws {
        let first = String(repeating: "x", count: 256 * 1024 + shift)
        let found = try lines("\(first)\nnext\n")
        #expect(found.map(\.text) == [first, "next"])
        #expect(found.map(\.offset) == [0, first.utf8.count + 1])
    }

    @Test func aLineOverTheLimitIsSkippedAndTheNextOneRead() throws {
        let longest = String(repeating: "y", count: LineReader.maximumLineBytes)
        let found = try lines("\(longest)\n\(longest)z\nnext\n")
        #expect(found.map(\.text) == [longest, nil, "next"])
        #expect(found.map(\.number) == [1, 2, 3])
    }
}
