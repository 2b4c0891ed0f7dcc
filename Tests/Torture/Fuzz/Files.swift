import Bookings
import FoundationEssentials

@testable import Spool

private let memory = MemoryFiles()
private let directory = SpoolDirectory(root: "/spool")

extension Target {
    /// A whole spool file: its lines, and the messages that the front and the worker see in it.
    ///
    /// The first byte says how much is read at once.
    static let files = Target(name: "files") { input in
        guard let choice = input.first else { return }
        let bytes = Array(input.dropFirst())
        let name = "a.jsonl"
        memory.replace(with: [directory.path(.active, name): bytes])
        do {
            try check(bytes, name, chunkBytes: Int(choice) + 1)
        } catch {
            fail("\(error)")
        }
    }

    private static func check(_ bytes: [UInt8], _ name: String, chunkBytes: Int) throws {
        let file = try memory.open(directory.path(.active, name))
        var reader = LineReader(file, chunkBytes: chunkBytes)
        var parts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if parts.last?.isEmpty ?? true { parts = parts.dropLast() }
        var offset = 0
        for (index, part) in parts.enumerated() {
            let line = require(try reader.next(), "line \(index + 1) is missing")
            require(
                line.number == index + 1 && line.offset == offset && line.count == part.count
                    && (line.bytes?.elementsEqual(part) ?? false),
                "line \(index + 1) is \(line)")
            offset += part.count + 1
        }
        require(try reader.next() == nil && reader.isExhausted, "a line too many")

        var seen: [Message] = []
        try SpoolReader(directory, files: memory).forEachMessage(in: .active, name) { message in
            seen.append(message)
            return true
        }
        let active = ActiveFile(number: 1, name: name, file: file)
        let promised = try active.unread()
        var received: [Message] = []
        var count = 0
        while let line = try active.next() {
            count += 1
            if line.number > 0 {
                require(line.offset + line.count <= bytes.count, "\(line) is beyond the end")
            }
            if case .success(let message) = line.content { received.append(message) }
        }
        require(received == seen, "the worker sees \(received), and the front \(seen)")
        require(active.isAtEnd, "the end was not seen")
        // A file without messages stands for one piece of poison.
        require(
            promised == count || (promised == 0 && count == 1), "\(promised) lines waited, and \(count) came")
    }

    /// A dead letter: its head in JSON, then the body.
    ///
    /// It has the name that its head asks for, and in an input of even length the checksum.
    static let letters = Target(name: "letters") { input in
        let end = input.firstIndex(of: UInt8(ascii: "\n")) ?? input.endIndex
        let body = Array(input[end...])
        var head = Array(input[..<end])
        if input.count.isMultiple(of: 2) { head = mended(head, before: body.dropFirst()) }
        let id =
            decode(DeadLetterFile.self, Data(head))?.id ?? BookingID.derived(fileName: "f", line: 1)
        let name = DeadLetterFile.name(id)
        memory.replace(with: [
            directory.path(.dead, name): head + body,
            directory.path(.dead, "b.body"): Array(input.suffix(9)),
        ])
        do {
            guard let letter = try StoredDeadLetter.read(directory.path(.dead, name), files: memory) else {
                return
            }
            let header = try letter.fields.header()
            let again = decode(DeadLetterFile.self, Data(header))
            require(again.map(encode) == encode(letter.fields), "\(letter.fields) is read as something else")
            for limit in [0, 7, 1 << 20] {
                let body = try letter.body(limit: limit, in: directory, files: memory)
                require(body.count <= limit && body.count <= input.count, "a body of \(body.count) bytes")
            }
            // Redriving counts one up.
            require((letter.fields.redriveCount ?? 0).magnitude < 1 << 40, "a count of \(letter.fields)")
            let shown = try DeadLetterStore(directory, files: memory).letter(id, bodyBytes: 100)
            require(
                shown.map { decode(DeadLetter.self, encode($0)) == $0 } ?? false, "a letter can't be shown")
            let message = try letter.message(in: directory, files: memory)
            if case .success(let message) = message {
                require(message.id == letter.fields.id, "\(message) is in the letter \(letter.fields.id)")
                require(MessageLine.maximumBytes(of: message.request) > 0, "a length")
            }
            try SpoolReader(directory, files: memory).forEachMessage(in: .dead, name) { seen in
                require((try? message.get()) == seen, "the front sees \(seen) in a letter of \(message)")
                return true
            }
        } catch {
            fail("\(error)")
        }
    }
}
