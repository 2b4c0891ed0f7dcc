import Bookings

/// A file in `active/` and which of its lines are in hand.
final class ActiveFile {
    /// A line in hand, or with number 0 the whole file.
    struct Line {
        let number: Int
        let offset: Int
        let count: Int
        let content: Result<Message, Poison>

        func with(_ content: Result<Message, Poison>) -> Line {
            Line(number: number, offset: offset, count: count, content: content)
        }
    }

    let number: Int
    let name: String
    let arrival: Timestamp
    /// Nil for what can't be read at all.
    let file: OpenFile?
    let size: Int
    private var reader: LineReader?
    private var oddity: String?
    private var linesRead = 0
    private var hasMessages = false
    private var pushedBack: Line?
    /// Lines received and not settled, by number.
    var outstanding: [Int: Line] = [:]
    /// Whether it came from `deferred/`, and must be tried alone.
    var isDeferred = false
    var isAlone = false
    /// Whether the whole file was moved to `dead/`, so that nothing is left to remove.
    var isSetAside = false

    /// A file to be read line by line.
    init(number: Int, name: String, file: OpenFile) {
        self.number = number
        self.name = name
        self.file = file
        size = file.status.size
        arrival = Timestamp(milliseconds: file.status.modifiedMilliseconds)
        reader = LineReader(file)
    }

    /// An entry that can't be read at all, and why.
    init(number: Int, name: String, status: FileStatus, oddity: String) {
        self.number = number
        self.name = name
        self.oddity = oddity
        file = nil
        size = status.size
        arrival = Timestamp(milliseconds: status.modifiedMilliseconds)
    }

    /// How many messages are not received yet: as the name promises, or counted where it promises nothing.
    func unread() throws(SpoolError) -> Int {
        let inHand = pushedBack == nil && oddity == nil ? 0 : 1
        guard var rest = reader else { return inHand }
        if let count = SpoolFileName.count(in: name) { return inHand + max(0, count - linesRead) }
        var count = inHand
        while let line = try rest.next() { count += line.isBlank ? 0 : 1 }
        return count
    }

    /// Whether the last byte was read, so that no line follows. A file is often seen to be so only when one more
    /// line is asked for.
    var isAtEnd: Bool {
        oddity == nil && pushedBack == nil && (reader?.isExhausted ?? true) && (hasMessages || reader == nil)
    }

    /// Makes `line` the next one again.
    func pushBack(_ line: Line) { pushedBack = line }

    /// The next line that stands for a message; nil after the last.
    func next() throws(SpoolError) -> Line? {
        if let line = pushedBack {
            pushedBack = nil
            return line
        }
        if let oddity { return giveUp(reason: oddity) }
        while var lines = reader {
            let line = try lines.next()
            reader = lines
            guard let line else {
                reader = nil
                guard hasMessages else { return giveUp(reason: "The file is empty.") }
                return nil
            }
            linesRead += 1
            if line.isBlank { continue }
            hasMessages = true
            return Line(number: line.number, offset: line.offset, count: line.count, content: decode(line))
        }
        return nil
    }

    /// The rest of the file as one piece of poison.
    func giveUp(reason: String) -> Line {
        oddity = nil
        reader = nil
        var poison = Poison(id: .derived(fileName: name, line: 0), reason: reason)
        poison.origin = name
        return Line(number: 0, offset: 0, count: size, content: .failure(poison))
    }

    private func decode(_ line: LineReader.Line) -> Result<Message, Poison> {
        let decoded = decodeLine(line)
        guard case .failure(var poison) = decoded else { return decoded }
        poison.origin = "\(name), line \(line.number)"
        return .failure(poison)
    }

    private func decodeLine(_ line: LineReader.Line) -> Result<Message, Poison> {
        guard let bytes = line.bytes else {
            return .failure(
                Poison(
                    id: .derived(fileName: name, line: line.number),
                    reason:
                        "The line has \(line.count) bytes; at most \(LineReader.maximumLineBytes) are allowed."
                ))
        }
        return MessageLine.decode(bytes, fileName: name, number: line.number, arrival: arrival).map {
            message in
            // Only what a worker wrote was redriven: nobody who may put files in takes a letter's place with one.
            var message = message
            if !(file?.status.isOwn ?? false) { message.redriveCount = 0 }
            return message
        }
    }
}
