import Bookings

/// What the journal of a front that didn't end in good order holds.
struct JournalContents {
    /// A place of a segment that can't be read: damage, not the unfinished group at the end.
    struct Damage: Hashable {
        let segment: String
        let offset: Int
    }

    /// The groups that may not be durable elsewhere, oldest first.
    var groups: [JournalGroup] = []
    /// All groups that can be read, those that are settled as well.
    var allGroups: [JournalGroup] = []
    /// The greatest epoch of all.
    var lastEpoch = 0
    /// What can't be read.
    var damage: [Damage] = []

    /// The segments that hold damage.
    var damagedSegments: [String] {
        SpoolJournal.names.filter { name in damage.contains { $0.segment == name } }
    }

    private struct Segment {
        let name: String
        let bytes: [UInt8]
        let first: JournalGroup
        /// Whether the group at its very beginning can't be read, and another stands for it.
        let isBeheaded: Bool
    }

    /// Reads the segments of a spool. One that isn't there holds nothing.
    ///
    /// - Throws: as well when a newer version of acms has written one.
    init(_ directory: SpoolDirectory, files: any FileSystem) throws(SpoolError) {
        // Without its mark the front has ended in good order, and there is nothing to put back.
        let isOpen = try files.status(of: directory.path(.tmp, SpoolJournal.marker)) != nil
        var segments: [Segment] = []
        var beheaded: [Segment] = []
        for name in SpoolJournal.names {
            let path = directory.path(.tmp, name)
            guard try files.status(of: path)?.kind == .regular else { continue }
            let file = try files.open(path)
            let bytes = try file.read(at: 0, count: min(file.status.size, SpoolJournal.segmentBytes))
            if JournalGroup.isOfOtherVersion(bytes) { throw .newerFormat(path) }
            if let first = JournalGroup(bytes, at: 0) {
                segments.append(Segment(name: name, bytes: bytes, first: first, isBeheaded: false))
            } else if bytes.contains(where: { $0 != 0 }) {
                damage.append(Damage(segment: name, offset: 0))
                guard isOpen, let first = Self.newestGroup(bytes) else { continue }
                beheaded.append(Segment(name: name, bytes: bytes, first: first, isBeheaded: true))
            }
        }
        // What isn't at the beginning may be left of an earlier use, which was settled before the other segment was
        // begun; and it is not believed what it says of others.
        let known = segments.map(\.first.epoch).max()
        segments += beheaded.filter { segment in known.map { segment.first.epoch > $0 - 2 } ?? true }
        lastEpoch = segments.map(\.first.epoch).max() ?? 0
        var settledEpoch = segments.filter { !$0.isBeheaded }.map(\.first.settledEpoch).max() ?? 0
        for segment in segments {
            let (found, damagedAt) = Self.groups(segment.bytes, like: segment.first)
            allGroups += found
            guard !segment.first.isLast, segment.first.epoch > settledEpoch else { continue }
            groups += found
            let others = segment.isBeheaded ? Array(damagedAt.dropFirst()) : damagedAt
            damage += others.map { Damage(segment: segment.name, offset: $0) }
        }
        // A later group of a segment may say that the other one is settled.
        settledEpoch = max(settledEpoch, groups.map(\.settledEpoch).max() ?? 0)
        groups = groups.filter { $0.epoch > settledEpoch && !$0.lines.isEmpty }
            .sorted { $0.epoch < $1.epoch }
    }

    /// Of the groups in a segment whose first can't be read, one of those that were written last.
    private static func newestGroup(_ segment: [UInt8]) -> JournalGroup? {
        var newest: JournalGroup?
        var offset = 0
        while offset < segment.count {
            guard let group = JournalGroup(segment, at: offset) else {
                offset += JournalGroup.blockBytes
                continue
            }
            if group.epoch > newest?.epoch ?? 0 { newest = group }
            offset += JournalGroup.size(ofLines: group.lines.count)
        }
        return newest
    }

    /// The groups of a segment, which have its first one's epoch and key, and where each stretch begins between them
    /// that can't be read.
    static func groups(
        _ segment: [UInt8], like first: JournalGroup
    ) -> (groups: [JournalGroup], damagedAt: [Int]) {
        var groups: [JournalGroup] = []
        var damagedAt: [Int] = []
        var gap: Int?
        var offset = 0
        while offset < segment.count {
            guard let group = JournalGroup(segment, at: offset), group.epoch == first.epoch,
                group.key == first.key
            else {
                gap = gap ?? offset
                offset += JournalGroup.blockBytes
                continue
            }
            if let start = gap { damagedAt.append(start) }
            gap = nil
            groups.append(group)
            offset += JournalGroup.size(ofLines: group.lines.count)
        }
        return (groups, damagedAt)
    }
}
