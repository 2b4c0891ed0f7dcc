import Glibc

/// The lines of a file, of which no more are held than were read in one block.
struct InputLines {
    /// A line as it was found.
    struct Line {
        /// Counted from 1.
        let number: Int
        /// How many bytes it has, without its newline. No more than ``maximumBytes`` of them were handed over.
        let count: Int

        var isCut: Bool { count > InputLines.maximumBytes }
    }

    /// The longest line of which everything is handed over: a booking has three identifiers of 256 bytes each, and even
    /// with every byte escaped and much around it that is passed over it is far shorter.
    static let maximumBytes = 64 << 10

    let file: InputFile
    private var buffer: [UInt8] = []
    private var position = 0
    private var number = 0
    private var isAtEnd = false
    /// How many bytes lie before the next line.
    private(set) var offset = 0

    init(_ file: InputFile) throws(Failure) {
        self.file = file
        try fill()
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        // The byte order mark that some programs put before UTF-8.
        if buffer.starts(with: mark) { advance(mark.count) }
    }

    /// What was read and not handed over yet.
    var beginning: ArraySlice<UInt8> { buffer[position...] }

    /// Appends the next line to `text`, without its newline; nil after the last.
    mutating func next(into text: inout [UInt8]) throws(Failure) -> Line? {
        let start = text.count
        var count = 0
        while true {
            let end = newline()
            let piece = buffer[position..<(end ?? buffer.count)]
            text.append(contentsOf: piece.prefix(max(0, Self.maximumBytes + 1 - count)))
            count += piece.count
            advance(piece.count)
            if end != nil {
                advance(1)
                break
            }
            if isAtEnd {
                guard count > 0 else { return nil }
                break
            }
            try fill()
        }
        number += 1
        if count > Self.maximumBytes { text.removeLast(text.count - start - Self.maximumBytes) }
        return Line(number: number, count: count)
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

    private mutating func advance(_ count: Int) {
        position += count
        offset += count
    }

    private mutating func fill() throws(Failure) {
        buffer.removeFirst(position)
        position = 0
        isAtEnd = try !file.read(into: &buffer)
    }
}
