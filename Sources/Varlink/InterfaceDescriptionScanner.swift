/// Splits an interface description into words and punctuation, and keeps the comments above them.
struct InterfaceDescriptionScanner {
    enum Token: Equatable {
        case word(String)
        case punctuation(Character)
        case arrow
        case end
    }

    private let bytes: [UInt8]
    private var position = 0
    /// The line of the next byte, from 1.
    private(set) var line = 1
    /// The comment lines directly above the next token.
    private(set) var comment: [String] = []

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    mutating func next() -> Token {
        skipBlanksAndComments()
        guard position < bytes.count else { return .end }
        let byte = bytes[position]
        if Self.isWordByte(byte) {
            let start = position
            while position < bytes.count, continuesWord(at: position) { position += 1 }
            return .word(String(decoding: bytes[start..<position], as: UTF8.self))
        }
        if byte == UInt8(ascii: "-"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: ">") {
            position += 2
            return .arrow
        }
        position += 1
        return .punctuation(Character(Unicode.Scalar(byte)))
    }

    private mutating func skipBlanksAndComments() {
        comment = []
        var newlines = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\n"):
                line += 1
                newlines += 1
                // An empty line cuts a comment off from what follows.
                if newlines > 1 { comment = [] }
                position += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                position += 1
            case UInt8(ascii: "#"):
                let start = position + 1
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
                var text = bytes[start..<position]
                if text.first == UInt8(ascii: " ") { text.removeFirst() }
                if text.last == UInt8(ascii: "\r") { text.removeLast() }
                comment.append(String(decoding: text, as: UTF8.self))
                newlines = 0
            default:
                return
            }
        }
    }

    /// A dash belongs to a word (interface names have them) unless it begins an arrow.
    private func continuesWord(at index: Int) -> Bool {
        if bytes[index] == UInt8(ascii: "-") {
            return index + 1 < bytes.count && bytes[index + 1] != UInt8(ascii: ">")
        }
        return Self.isWordByte(bytes[index])
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default:
            false
        }
    }
}
