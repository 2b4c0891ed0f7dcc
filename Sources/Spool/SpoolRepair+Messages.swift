import Bookings

/// What the journal still has, whether it is settled or not.
struct JournalIndex {
    struct Entry {
        let message: Message
        let line: [UInt8]
    }

    /// The messages of a file, in the order of its lines.
    private(set) var byFile: [String: [Entry]] = [:]
    private(set) var byID: [BookingID: Entry] = [:]

    init(_ directory: SpoolDirectory, files: any FileSystem) throws(SpoolError) {
        for group in try JournalContents(directory, files: files).allGroups where !group.name.isEmpty {
            let entries = group.messages.map { Entry(message: $0.message, line: Array($0.line)) }
            byFile[group.name] = entries
            for entry in entries { byID[entry.message.id] = entry }
        }
    }
}

/// Finds whole messages anywhere in damaged bytes: lines that ran together, or a letter whose head is gone.
enum Salvage {
    static func messages(in bytes: [UInt8]) -> [JournalIndex.Entry] {
        let (start, end) = (Array(#"{"v":1,"id":""#.utf8), Array(#","crc32c":""#.utf8))
        var found: [JournalIndex.Entry] = []
        var position = 0
        while let begin = bytes.position(of: start, from: position) {
            position = begin + 1
            guard let tail = bytes.position(of: end, from: begin) else { break }
            let line = Array(bytes[begin..<min(bytes.count, tail + end.count + CRC32C.digits + 2)])
            let decoded = MessageLine.decode(
                line, fileName: "", number: 0, arrival: Timestamp(milliseconds: 0))
            guard Seal.isIntact(line, { $0 }) == true, case .success(let message) = decoded else { continue }
            found.append(JournalIndex.Entry(message: message, line: line))
            position = begin + line.count
        }
        return found
    }
}

extension SpoolRepair {
    /// Takes damaged lines out of a file, which leaves the others their numbers, and puts in what is found of them.
    ///
    /// - Returns: what was done.
    func mendLines(_ place: SpoolPlace, _ name: String, _ journal: JournalIndex) throws -> String {
        let path = directory.path(place, name)
        let file = try files.open(path)
        var lines = LineReader(file)
        var pieces: [FileContent] = []
        var whole: Set<BookingID> = []
        var candidates: [JournalIndex.Entry] = []
        var damaged: [(id: BookingID?, number: Int)] = []
        let journaled = journal.byFile[name] ?? []
        var count = 0
        var isSoundPiece = false
        while let line = try lines.next() {
            count = line.number
            let judged = QueueLine(line, of: name, at: file.status)
            if case .damaged(_, let id) = judged {
                damaged.append((id, line.number))
                // Longer ones than any line may be are looked through as well, within reason.
                let bytes = try file.read(at: line.offset, count: min(line.count, 64 << 20))
                candidates += Salvage.messages(in: bytes)
                if line.number <= journaled.count { candidates.append(journaled[line.number - 1]) }
                pieces.append(.bytes(Array("\n".utf8)))
                continue
            }
            if case .message(let message) = judged { whole.insert(message.id) }
            if case .blank = judged {} else { isSoundPiece = true }
            pieces.append(.part(of: file, offset: line.offset, count: line.count))
            pieces.append(.bytes(Array("\n".utf8)))
        }
        let promised = SpoolFileName.count(in: name) ?? 0
        candidates += journaled.dropFirst(count)
        if place == .deferred, let id = BookingID(String(name.prefix(36))), let entry = journal.byID[id] {
            candidates.append(entry)
        }
        let restored = try missing(candidates, besides: whole)
        for entry in restored { pieces.append(.bytes(entry.line + Array("\n".utf8))) }
        let lineCount = count + restored.count
        if lineCount < promised {
            pieces.append(.bytes([UInt8](repeating: UInt8(ascii: "\n"), count: promised - lineCount)))
        }
        let kept: String
        if isSoundPiece || !restored.isEmpty {
            kept = try keep(path)
            try write(pieces, in: place, name)
        } else {
            kept = try setAside(path)
        }
        return summary(damaged, restored, lacking: max(0, promised - lineCount), kept)
    }

    /// Those that are nowhere else.
    private func missing(
        _ candidates: [JournalIndex.Entry], besides known: Set<BookingID>
    ) throws -> [JournalIndex.Entry] {
        let replay = SpoolReplay(directory: directory, files: files, committed: committed, ownsActive: true)
        let inTable = try committed(candidates.map(\.message.id))
        var seen = known.union(inTable)
        var missing: [JournalIndex.Entry] = []
        for entry in candidates where seen.insert(entry.message.id).inserted {
            if try !replay.isElsewhere(entry.message) { missing.append(entry) }
        }
        return missing
    }

    private func summary(
        _ damaged: [(id: BookingID?, number: Int)], _ restored: [JournalIndex.Entry], lacking: Int,
        _ kept: String
    ) -> String {
        let found = Set(restored.map(\.message.id))
        var texts = ["The original is \(kept)."]
        if !restored.isEmpty {
            texts.append("Restored \(found.map(\.description).sorted().joined(separator: ", ")).")
        }
        let lost = damaged.filter { line in line.id.map { !found.contains($0) } ?? true }
        if lost.count > 0, damaged.count > restored.count {
            let names = lost.map { line in
                line.id?.description ?? "line \(line.number), whose id can't be read"
            }
            texts.append("Can't be recovered: \(names.joined(separator: ", ")).")
        }
        if lacking > 0 { texts.append("\(lacking) messages can't be recovered, and their ids not be read.") }
        return texts.joined(separator: " ")
    }

    /// Makes a new letter of what is found of a damaged one's message.
    func mendLetter(_ name: String, _ journal: JournalIndex) throws -> String {
        let path = directory.path(.dead, name)
        guard let id = DeadLetterFile.id(in: name) else { return "Moved to \(try setAside(path))." }
        let file = try files.open(path)
        let bytes = try file.read(at: 0, count: min(file.status.size, 64 << 20))
        let entry = Salvage.messages(in: bytes).first ?? journal.byID[id]
        guard let entry else { return "Moved to \(try setAside(path))\(lost(id))." }
        let kept = try keep(path)
        let message = entry.message
        let letter = DeadLetterFile(
            id: id, class: .poison,
            reason: "The letter's own file was damaged and mended; \(kept) is the original.",
            deadOn: Timestamp(milliseconds: file.status.modifiedMilliseconds),
            receiveCount: message.receiveCount, userId: message.request.userID,
            apartmentId: message.request.apartmentID, attempts: message.attempts, fromFile: name, fromLine: 1,
            bodySize: entry.line.count, redriveCount: message.redriveCount > 0 ? message.redriveCount : nil)
        let body = FileContent.bytes(entry.line)
        try write([.bytes(try letter.header(for: [body])), body], in: .dead, name)
        return "Made a new letter of its message; the original is \(kept)."
    }
}

extension [UInt8] {
    /// Where `other` begins first, from an index on.
    fileprivate func position(of other: [UInt8], from start: Int) -> Int? {
        guard let first = other.first, count >= other.count else { return nil }
        var index = start
        while let found = self[Swift.min(index, count)...].firstIndex(of: first) {
            if self[found...].starts(with: other) { return found }
            index = found + 1
        }
        return nil
    }
}
