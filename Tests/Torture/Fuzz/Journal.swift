import Bookings

@testable import Spool

private let memory = MemoryFiles()
private let directory = SpoolDirectory(root: "/spool")

extension Target {
    /// The front's journal: groups, whole and broken, in two segments.
    ///
    /// The input is cut at bytes 0x01. A piece whose first byte is even is put down as it is; one whose first byte is
    /// odd describes a group with its next bytes, and the rest are its lines.
    static let journal = Target(name: "journal") { input in
        var segments: [[UInt8]] = [[], []]
        var written: [[JournalGroup]] = [[], []]
        for piece in input.split(separator: 1, maxSplits: 12) {
            guard let choice = piece.first else { continue }
            let number = Int(choice >> 1 & 1)
            if choice & 1 == 0 {
                segments[number] += piece.dropFirst()
                written[number] = []
            } else if let group = JournalGroup(described: Array(piece)) {
                require(JournalGroup(group.blocks, at: 0) == group, "\(group) is read as another")
                segments[number] += group.blocks
                written[number].append(group)
            }
            let rest = segments[number].count % JournalGroup.blockBytes
            if rest > 0 {
                segments[number] += repeatElement(0, count: JournalGroup.blockBytes - rest)
            }
        }
        for segment in segments { check(segment) }
        var files = Dictionary(
            uniqueKeysWithValues: zip(SpoolJournal.names, segments).map { (directory.path(.tmp, $0), $1) })
        // Mostly the front has not ended in good order.
        if input.count % 4 != 0 { files[directory.path(.tmp, SpoolJournal.marker)] = [] }
        memory.replace(with: files)
        let contents: JournalContents
        do throws(SpoolError) {
            contents = try JournalContents(directory, files: memory)
        } catch {
            return require(segments.contains(where: JournalGroup.isOfOtherVersion), "the journal: \(error)")
        }
        var last = Int.min
        for group in contents.groups {
            require(group.epoch >= last && group.epoch <= contents.lastEpoch, "epochs are out of order")
            require(!group.lines.isEmpty, "a group has no lines")
            require(group.epoch > group.settledEpoch, "a settled group is replayed")
            last = group.epoch
            for (message, line) in group.messages {
                let read = MessageLine.decodeAnyForm(
                    Array(line), fileName: group.name, number: 0, arrival: Timestamp(milliseconds: 0))
                require((try? read.get()) == message, "\(message) or \(read)")
            }
        }
        for damage in contents.damage {
            require(damage.offset >= 0 && damage.offset % JournalGroup.blockBytes == 0, "\(damage)")
        }
    }

    private static func check(_ segment: [UInt8]) {
        guard let first = JournalGroup(segment, at: 0) else { return }
        let (groups, _) = JournalContents.groups(segment, like: first)
        require(groups.first == first, "the first group is missing")
        for group in groups {
            require(group.epoch == first.epoch && group.key == first.key, "\(group) is of another use")
        }
        let size = groups.reduce(0) { $0 + JournalGroup.size(ofLines: $1.lines.count) }
        require(size <= segment.count + JournalGroup.blockBytes, "groups overlap")
        // None is read that begins elsewhere than at a block.
        require(JournalGroup(segment, at: segment.count) == nil, "a group begins at the end")
    }
}

extension JournalGroup {
    /// The group that a piece of input describes.
    fileprivate init?(described bytes: [UInt8]) {
        guard bytes.count >= 6 else { return nil }
        let name = bytes[5] & 1 == 0 ? "" : "01a2057f-52e9-7a31-86a5-a73cae814316.\(bytes[5]).jsonl"
        self.init(
            epoch: Int(bytes[1]), key: bytes[2] == 0xff ? .max : UInt64(bytes[2] & 1),
            settledEpoch: Int(bytes[3]),
            isLast: bytes[4] & 1 == 1, name: name, lines: Array(bytes[6...]))
    }
}
