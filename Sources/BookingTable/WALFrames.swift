/// The frames of a -wal file, judged one by one (https://www.sqlite.org/fileformat2.html#walformat). SQLite itself
/// reads up to the first frame that isn't whole, and takes whatever lies behind it for nothing.
struct WALFrames {
    /// Where the newest whole version of each page lies in the file.
    private(set) var pages: [UInt32: Int] = [:]
    /// Numbers of frames, from 1, that are there and not as they were written.
    private(set) var damaged: [Int] = []
    /// Pages whose newest version is in such a frame.
    private(set) var damagedPages: Set<UInt32> = []
    /// Frames that belong to the present use of the file.
    private(set) var count = 0
    /// Whether what is damaged was synced, and not left unfinished by a crash: a later transaction goes on from the
    /// commit behind it, which is begun only when that is durable. What an earlier crash has left behind a later one
    /// goes on from something else: SQLite changes frames of a transaction in place and makes their checksums right
    /// at its end, so a crash can leave a commit behind a frame that isn't whole.
    private(set) var isCertain = false
    /// The salts, as the header has them.
    private(set) var salts: [UInt8] = []
    /// Whether the file's own header is damaged, so that SQLite ignores all of it.
    private(set) var isHeaderDamaged = false
    private(set) var pageSize = 4096

    private static let headerBytes = 32
    fileprivate static let frameHeaderBytes = 24

    /// - Parameter read: gives so many bytes at an offset, or fewer at the end of the file.
    init(size: Int, read: (_ offset: Int, _ count: Int) throws -> [UInt8]) rethrows {
        guard size >= Self.headerBytes else { return }
        let header = try read(0, Self.headerBytes)
        // The header of a new file is synced before there is a frame; a crash before that leaves nothing but zeros.
        if header.allSatisfy({ $0 == 0 }), try Self.isZeroed(size, read) { return }
        let magic = header.word(0)
        let isBigEndian = magic & 1 == 1
        var sum = Checksum(isBigEndian: isBigEndian)
        sum.add(header[..<24])
        let announced = Int(header.word(8))
        isHeaderDamaged =
            magic & 0xffff_fffe != 0x377f_0682 || sum.first != header.word(24)
            || sum.second != header.word(28)
        if [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536].contains(announced) { pageSize = announced }
        let frameBytes = Self.frameHeaderBytes + pageSize
        let salts = (header.word(16), header.word(20))
        self.salts = Array(header[16..<24])
        isCertain = isHeaderDamaged
        /// Of the last frame, if it is a commit behind something damaged: the sum that its bytes give, where that isn't
        /// the one it states.
        var commitBehind: Checksum?
        var offset = Self.headerBytes
        var number = 0
        while offset + frameBytes <= size {
            let frame = try read(offset, frameBytes)
            guard frame.count == frameBytes else { break }
            number += 1
            // What an earlier use of the file has left bears other salts, both of them.
            let own = frame.word(8) == salts.0 || frame.word(12) == salts.1
            guard own || isHeaderDamaged else { break }
            sum.add(frame)
            let page = frame.word(0)
            let hasSalts = frame.word(8) == salts.0 && frame.word(12) == salts.1 && page > 0
            let isWhole = hasSalts && sum.isStated(in: frame)
            if var other = commitBehind {
                other.add(frame)
                if hasSalts, isWhole || other.isStated(in: frame) { isCertain = true }
            }
            if isWhole {
                pages[page] = offset + Self.frameHeaderBytes
                damagedPages.remove(page)
            } else {
                damaged.append(number)
                damagedPages.insert(page)
            }
            // A commit's frame says how many pages the database has then.
            commitBehind = !damaged.isEmpty && frame.word(4) != 0 ? sum : nil
            // The next frame's sum goes on from what this one says of itself.
            (sum.first, sum.second) = (frame.word(16), frame.word(20))
            offset += frameBytes
        }
        count = number
    }

    private static func isZeroed(
        _ size: Int, _ read: (_ offset: Int, _ count: Int) throws -> [UInt8]
    ) rethrows -> Bool {
        for offset in stride(from: 0, to: size, by: 1 << 16) {
            if try read(offset, min(1 << 16, size - offset)).contains(where: { $0 != 0 }) { return false }
        }
        return true
    }
}

/// The checksum of -wal files.
private struct Checksum {
    let isBigEndian: Bool
    var first: UInt32 = 0
    var second: UInt32 = 0

    init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

    /// Takes in what a frame's checksum covers: the beginning of its header, and the page.
    mutating func add(_ frame: [UInt8]) {
        add(frame[..<8])
        add(frame[WALFrames.frameHeaderBytes...])
    }

    /// Whether this is what a frame says of itself.
    func isStated(in frame: [UInt8]) -> Bool { first == frame.word(16) && second == frame.word(20) }

    mutating func add(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { buffer in
            for offset in stride(from: 0, to: buffer.count - 7, by: 8) {
                first &+= word(buffer, offset) &+ second
                second &+= word(buffer, offset + 4) &+ first
            }
        }
    }

    private func word(_ buffer: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        let word = buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        return isBigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
    }
}

extension [UInt8] {
    /// Four bytes, big-endian; 0 behind the end.
    func word(_ offset: Int) -> UInt32 {
        guard offset >= 0, offset + 4 <= count else { return 0 }
        return self[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
