import Testing

@testable import BookingTable

/// -wal files as SQLite writes them, and as crashes and damage leave them.
@Suite struct WALFramesTests {
    private static let pageSize = 512
    private static let salts: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

    /// Builds a file frame by frame, with the checksums of SQLite's file format.
    private struct File {
        var bytes: [UInt8]
        private(set) var sum: (UInt32, UInt32)

        init() {
            bytes = [0x37, 0x7f, 0x06, 0x82, 0, 0x2d, 0xe2, 0x18]
            bytes += File.word(UInt32(WALFramesTests.pageSize)) + File.word(1) + WALFramesTests.salts
            sum = File.sum(bytes, after: (0, 0))
            bytes += File.word(sum.0) + File.word(sum.1)
        }

        /// - Parameter pages: the size of the database, if the frame is a commit.
        mutating func add(page: UInt32, commit pages: UInt32 = 0, fill: UInt8) {
            let head = File.word(page) + File.word(pages)
            let content = [UInt8](repeating: fill, count: WALFramesTests.pageSize)
            sum = File.sum(content, after: File.sum(head, after: sum))
            bytes += head + WALFramesTests.salts + File.word(sum.0) + File.word(sum.1) + content
        }

        /// Where a frame begins; the first one is 1.
        static func offset(of frame: Int) -> Int { 32 + (frame - 1) * (24 + WALFramesTests.pageSize) }

        var frames: WALFrames {
            WALFrames(size: bytes.count) { Array(bytes[min($0, bytes.count)..<min($0 + $1, bytes.count)]) }
        }

        private static func word(_ value: UInt32) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) }
        }

        private static func sum(_ bytes: [UInt8], after sum: (UInt32, UInt32)) -> (UInt32, UInt32) {
            var (first, second) = sum
            for offset in stride(from: 0, to: bytes.count, by: 8) {
                // Little-endian, as the magic number says.
                let words = [offset, offset + 4].map { start in
                    (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
                }
                first &+= words[0] &+ second
                second &+= words[1] &+ first
            }
            return (first, second)
        }
    }

    /// Two transactions: frames 1 to 3, and 4 to 5.
    private func twoTransactions() -> File {
        var file = File()
        file.add(page: 2, fill: 1)
        file.add(page: 3, fill: 2)
        file.add(page: 4, commit: 4, fill: 3)
        file.add(page: 2, fill: 4)
        file.add(page: 5, commit: 5, fill: 5)
        return file
    }

    @Test func `a header that is gone before frames is damage, and a file of zeros is none`() {
        var file = twoTransactions()
        file.bytes.replaceSubrange(0..<32, with: repeatElement(0, count: 32))
        #expect(file.frames.isHeaderDamaged && file.frames.isCertain)
        file.bytes = Array(repeating: 0, count: file.bytes.count)
        #expect(!file.frames.isHeaderDamaged && !file.frames.isCertain && file.frames.count == 0)
    }

    @Test func `a file as it was written is sound`() {
        let frames = twoTransactions().frames
        #expect(frames.count == 5 && frames.damaged.isEmpty && !frames.isCertain)
        #expect(Set(frames.pages.keys) == [2, 3, 4, 5])
    }

    @Test(arguments: [1, 2, 3], [0, 20, 24, 500])
    func `damage in a transaction that another one follows is certain`(_ frame: Int, _ byte: Int) {
        var file = twoTransactions()
        file.bytes[File.offset(of: frame) + byte] ^= 0x10
        #expect(file.frames.damaged.contains(frame))
        #expect(file.frames.isCertain)
    }

    @Test(arguments: [4, 5])
    func `what isn't whole in the last transaction may be a crash's`(_ frame: Int) {
        var file = twoTransactions()
        file.bytes[File.offset(of: frame) + 30] ^= 1
        #expect(file.frames.damaged.contains(frame))
        #expect(!file.frames.isCertain)
    }

    @Test
    func `a crash before a transaction's checksums were made right is no damage, whatever lies behind it`() {
        // An earlier, longer transaction that a crash has ended.
        var older = File()
        for number in 1...8 {
            older.add(page: UInt32(number), commit: number == 8 ? 9 : 0, fill: UInt8(100 + number))
        }
        // A later one over its beginning, whose second frame was changed in place, and whose commit is there already.
        var file = File()
        file.add(page: 2, fill: 1)
        file.add(page: 3, fill: 2)
        file.add(page: 4, commit: 4, fill: 3)
        file.bytes[File.offset(of: 2) + 24] ^= 1
        file.bytes += older.bytes[File.offset(of: 4)...]
        let frames = file.frames
        #expect(frames.count == 8 && frames.damaged == [2, 4])
        #expect(!frames.isCertain)
    }
}
