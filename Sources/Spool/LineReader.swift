import Glibc

/// Reads a file line by line without holding more of it than one line.
struct LineReader {
    /// A line without its newline.
    struct Line {
        /// Counted from 1.
        let number: Int
        /// Where it begins, in bytes.
        let offset: Int
        /// How long it is, in bytes.
        let count: Int
        /// Its bytes; nil when there are more than the limit.
        let bytes: [UInt8]?
    }

    /// Longest line that is read, in bytes: as long as the longest call that the front takes.
    static let maximumLineBytes = 1 << 20

    private let file: OpenFile
    private let chunkBytes: Int
    private var buffer: [UInt8] = []
    private var position = 0
    private var fileOffset = 0
    private var number = 0
    private var isAtEnd = false

    /// - Parameter chunkBytes: how much is read at once.
    init(_ file: OpenFile, chunkBytes: Int = 256 << 10) {
        self.file = file
        self.chunkBytes = chunkBytes
    }

    /// Whether all bytes were returned as lines, as far as is known without reading.
    var isExhausted: Bool { position == buffer.count && (isAtEnd || fileOffset >= file.status.size) }

    /// The next line, nil after the last. The piece after the last newline is a line when it holds a byte.
    mutating func next() throws(SpoolError) -> Line? {
        let start = fileOffset
        var line: [UInt8] = []
        var length = 0
        while true {
            if position == buffer.count {
                guard try fill() else {
                    return length == 0 ? nil : finish(start: start, length: length, line: line)
                }
            }
            let end = newline()
            let piece = buffer[position..<(end ?? buffer.count)]
            length += piece.count
            if length <= Self.maximumLineBytes { line.append(contentsOf: piece) }
            fileOffset += piece.count
            position += piece.count
            if end != nil {
                position += 1
                fileOffset += 1
                return finish(start: start, length: length, line: line)
            }
        }
    }

    /// Where the next newline of what was read is.
    private func newline() -> Int? {
        buffer.withUnsafeBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            guard let start = rest.baseAddress,
                let found = memchr(start, CInt(UInt8(ascii: "\n")), rest.count)
            else { return nil }
            return position + (UnsafeRawPointer(found) - start)
        }
    }

    private mutating func finish(start: Int, length: Int, line: [UInt8]) -> Line {
        number += 1
        return Line(
            number: number, offset: start, count: length, bytes: length <= Self.maximumLineBytes ? line : nil)
    }

    private mutating func fill() throws(SpoolError) -> Bool {
        guard !isAtEnd else { return false }
        buffer = try file.read(at: fileOffset, count: chunkBytes)
        position = 0
        isAtEnd = buffer.count < chunkBytes
        return !buffer.isEmpty
    }
}

extension LineReader.Line {
    /// Whether it holds nothing but white space; such lines stand for no message.
    var isBlank: Bool {
        bytes?.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
            ?? false
    }
}
