import Bookings

/// What the journal of a front that didn't end in good order holds.
struct JournalContents {
    /// The groups that may not be durable elsewhere, oldest first.
    var groups: [JournalGroup] = []
    /// The greatest epoch of all.
    var lastEpoch = 0
    /// Stretches between groups that can't be read: damage, not the unfinished group at the end.
    var damagedStretches = 0

    /// Reads the segments of a spool. One that isn't there holds nothing.
    init(_ directory: SpoolDirectory, files: any FileSystem) throws(SpoolError) {
        var segments: [(bytes: [UInt8], first: JournalGroup)] = []
        for name in SpoolJournal.names {
            let path = directory.path(.tmp, name)
            guard try files.status(of: path)?.kind == .regular else { continue }
            let file = try files.open(path)
            let bytes = try file.read(at: 0, count: min(file.status.size, SpoolJournal.segmentBytes))
            guard let first = JournalGroup(bytes, at: 0) else {
                if bytes.contains(where: { $0 != 0 }) { damagedStretches += 1 }
                continue
            }
            segments.append((bytes, first))
        }
        lastEpoch = segments.map(\.first.epoch).max() ?? 0
        var settledEpoch = segments.map(\.first.settledEpoch).max() ?? 0
        for (bytes, first) in segments where !first.isLast && first.epoch > settledEpoch {
            let (found, damaged) = Self.groups(bytes, like: first)
            groups += found
            damagedStretches += damaged
        }
        // A later group of a segment may say that the other one is settled.
        settledEpoch = max(settledEpoch, groups.map(\.settledEpoch).max() ?? 0)
        groups = groups.filter { $0.epoch > settledEpoch && !$0.lines.isEmpty }
            .sorted { $0.epoch < $1.epoch }
    }

    /// The groups of a segment, which have its first one's epoch and key.
    static func groups(
        _ segment: [UInt8], like first: JournalGroup
    ) -> (groups: [JournalGroup], damagedStretches: Int) {
        var groups: [JournalGroup] = []
        var damaged = 0
        var isInGap = false
        var offset = 0
        while offset < segment.count {
            guard let group = JournalGroup(segment, at: offset), group.epoch == first.epoch,
                group.key == first.key
            else {
                isInGap = true
                offset += JournalGroup.blockBytes
                continue
            }
            if isInGap { damaged += 1 }
            isInGap = false
            groups.append(group)
            offset += JournalGroup.size(ofLines: group.lines.count)
        }
        return (groups, damaged)
    }
}

/// Puts back what a power cut took: the files of groups that were durable in the journal only.
///
/// A message that is found elsewhere is left alone: in a file of the queue, among the dead letters, deleted from
/// there, or in the table. Two looks have to miss it, because a worker may move it meanwhile. One that is put back
/// in vain does no harm, as its id is the table's key.
struct SpoolReplay {
    let directory: SpoolDirectory
    let files: any FileSystem
    /// Which of these ids are in the table.
    let committed: ([BookingID]) throws -> Set<BookingID>
    /// Whether broken files may be removed from `active/`: by the worker, before it looks there.
    let ownsActive: Bool

    /// What was put back.
    struct Outcome: Equatable {
        var messages = 0
        var damagedStretches = 0
    }

    /// Replays the journal; durable on return.
    ///
    /// - Throws: `SpoolError`, or what `committed` throws.
    func run(_ contents: JournalContents) throws -> Outcome {
        var outcome = Outcome(damagedStretches: contents.damagedStretches)
        guard !contents.groups.isEmpty else { return outcome }
        var redriven: Set<BookingID>?
        for group in contents.groups where try !isThere(group) {
            var missing = group.messages
            for _ in 0..<2 {
                if missing.isEmpty { break }
                if redriven == nil { redriven = try redrivenIDs() }
                let inTable = try committed(missing.map(\.message.id))
                var left: [(message: Message, line: ArraySlice<UInt8>)] = []
                for candidate in missing {
                    let id = candidate.message.id
                    if inTable.contains(id) || redriven?.contains(id) ?? false { continue }
                    if try !isElsewhere(id) { left.append(candidate) }
                }
                missing = left
            }
            try putBack(missing, of: group)
            outcome.messages += missing.count
        }
        try files.syncDirectory(directory.path(of: .incoming))
        return outcome
    }

    /// Whether the group's file is in the queue as it was written.
    private func isThere(_ group: JournalGroup) throws(SpoolError) -> Bool {
        for place in [SpoolPlace.incoming, .active] where try isWhole(group, in: place) { return true }
        return false
    }

    private func isWhole(_ group: JournalGroup, in place: SpoolPlace) throws(SpoolError) -> Bool {
        let path = directory.path(place, group.name)
        guard let status = try files.status(of: path), status.kind == .regular,
            status.size == group.lines.count
        else { return false }
        do throws(SpoolError) {
            return try files.open(path).read(at: 0, count: status.size) == group.lines
        } catch {
            // It has moved on, or can't be read; the copy in the journal can.
            return false
        }
    }

    private func isElsewhere(_ id: BookingID) throws(SpoolError) -> Bool {
        let single = SpoolFileName.make(first: id, count: 1)
        for (place, name) in [
            (SpoolPlace.deferred, single), (.active, single), (.dead, DeadLetterFile.name(id)),
            (.dead, DeadLetterFile.deletedName(id)),
        ] {
            if let status = try files.status(of: directory.path(place, name)), status.size > 0 { return true }
        }
        return false
    }

    private func redrivenIDs() throws(SpoolError) -> Set<BookingID> {
        let reader = SpoolReader(directory, files: files)
        var ids: Set<BookingID> = []
        for place in [SpoolPlace.incoming, .active] {
            for name in try reader.names(in: place) where SpoolFileName.isRedriven(name) {
                try reader.forEachMessage(in: place, name) { message in
                    ids.insert(message.id)
                    return true
                }
            }
        }
        return ids
    }

    private func putBack(
        _ missing: [(message: Message, line: ArraySlice<UInt8>)], of group: JournalGroup
    ) throws(SpoolError) {
        if let first = missing.first {
            let name = SpoolFileName.make(first: first.message.id, count: missing.count)
            let unfinished = directory.path(.tmp, ".\(name)")
            let lines = missing.flatMap { Array($0.line) + [UInt8(ascii: "\n")] }
            try files.write([.bytes(lines)], to: unfinished, mode: 0o440)
            try files.rename(unfinished, to: directory.path(.incoming, name), replacing: true)
            if name == group.name { return try removeBroken(group, in: .active) }
        }
        try removeBroken(group, in: .incoming)
        try removeBroken(group, in: .active)
    }

    /// Removes what a power cut has left of a group's file.
    private func removeBroken(_ group: JournalGroup, in place: SpoolPlace) throws(SpoolError) {
        guard place != .active || ownsActive, try !isWhole(group, in: place) else { return }
        try files.remove(directory.path(place, group.name))
    }
}
