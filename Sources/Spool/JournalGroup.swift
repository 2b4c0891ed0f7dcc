import Bookings

/// A group of messages as the journal holds it. Pure: bytes in, groups out.
///
/// A group begins at a multiple of ``blockBytes`` with a header of ``headerBytes`` of text that says how long its
/// lines are, and is padded to whole blocks, so that a write never touches the block of another group.
struct JournalGroup: Equatable {
    static let blockBytes = 4096
    static let headerBytes = 256
    private static let family = "acms-journal "
    private static let signature = "\(family)1"

    /// Which use of its segment it belongs to. A later use has a greater number, over all segments.
    var epoch: Int
    /// A random number of that use, which no caller can know, so that no booking's text can pass for a group.
    var key: UInt64
    /// All groups of epochs up to this one are durable elsewhere.
    var settledEpoch: Int
    /// Whether the front ended in good order with it: nothing follows in its segment.
    var isLast = false
    /// The name of its file in the spool; empty when it has no lines.
    var name: String
    /// The lines of its messages.
    var lines: [UInt8]

    /// How much of a segment a group with so many bytes of lines takes.
    static func size(ofLines count: Int) -> Int {
        (headerBytes + count + blockBytes - 1) / blockBytes * blockBytes
    }

    private func header(checksum: String) -> String {
        """
        \(Self.signature) epoch=\(epoch) key=\(key) settled=\(settledEpoch) last=\(isLast ? 1 : 0) bytes=\(lines.count) \
        name=\(name) crc32c=\(checksum)
        """
    }

    /// Covers the header without it, and the lines.
    private var checksum: UInt32 {
        let header = CRC32C.checksum(Array(header(checksum: "").utf8))
        return lines.withUnsafeBytes { CRC32C.checksum($0, after: header) }
    }

    /// The group as it is written.
    var blocks: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size(ofLines: lines.count))
        bytes.append(contentsOf: header(checksum: CRC32C.text(checksum)).utf8)
        let padding = Self.headerBytes - 1 - bytes.count
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: max(0, padding)))
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: lines)
        let missing = Self.size(ofLines: lines.count) - bytes.count
        bytes.append(contentsOf: repeatElement(0, count: max(0, missing)))
        return bytes
    }

    /// The group that begins at `offset` of a segment; nil when there is no whole one.
    init?(_ segment: [UInt8], at offset: Int) {
        // Most blocks of a segment begin no group, which their first byte tells.
        guard offset + Self.headerBytes <= segment.count,
            segment[offset] == Self.signature.utf8.first
        else { return nil }
        let header = String(decoding: segment[offset..<(offset + Self.headerBytes)], as: UTF8.self)
        guard header.hasPrefix(Self.signature + " ") else { return nil }
        var fields: [Substring: Substring] = [:]
        for word in header.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            guard let equals = word.firstIndex(of: "=") else { continue }
            fields[word[..<equals]] = word[word.index(after: equals)...]
        }
        guard let epoch = fields["epoch"].flatMap({ Int($0) }),
            let key = fields["key"].flatMap({ UInt64($0) }),
            let settledEpoch = fields["settled"].flatMap({ Int($0) }),
            // Numbers that nobody has counted up to would overflow.
            (0..<1 << 62).contains(epoch), (0..<1 << 62).contains(settledEpoch),
            let count = fields["bytes"].flatMap({ Int($0) }), count >= 0,
            let name = fields["name"], let checksum = fields["crc32c"],
            case let start = offset + Self.headerBytes,
            count <= segment.count - start || PlantedFault.lengthBelieved.isPlanted
        else { return nil }
        self.init(
            epoch: epoch, key: key, settledEpoch: settledEpoch, isLast: fields["last"] == "1",
            name: String(name), lines: Array(segment[start..<(start + count)]))
        guard checksum == CRC32C.text(self.checksum) else { return nil }
    }

    init(
        epoch: Int, key: UInt64, settledEpoch: Int, isLast: Bool = false, name: String = "",
        lines: [UInt8] = []
    ) {
        self.epoch = epoch
        self.key = key
        self.settledEpoch = settledEpoch
        self.isLast = isLast
        self.name = name
        self.lines = lines
    }

    /// Whether a segment begins as another version of acms begins it, and not as this one with a damaged digit.
    static func isOfOtherVersion(_ segment: [UInt8]) -> Bool {
        guard segment.starts(with: family.utf8) else { return false }
        let version = segment.dropFirst(family.utf8.count).prefix { $0 != UInt8(ascii: " ") }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard (1...9).contains(version.count), version.allSatisfy(digits.contains),
            !version.elementsEqual("1".utf8)
        else { return false }
        return JournalGroup(Array(signature.utf8) + segment.dropFirst(signature.utf8.count), at: 0) == nil
    }

    /// The messages, each with its line.
    var messages: [(message: Message, line: ArraySlice<UInt8>)] {
        lines.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let message = MessageLine.decode(
                Array(line), fileName: name, number: 0, arrival: Timestamp(milliseconds: 0))
            return (try? message.get()).map { ($0, line) }
        }
    }
}
