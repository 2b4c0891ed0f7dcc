import Bookings

/// Puts back what a power cut took: the files of groups that were durable in the journal only.
///
/// A message that is found elsewhere is left alone: in a file of the queue, among the dead letters, deleted from
/// there, or in the table. Two looks have to miss it, because a worker may move it meanwhile. One that is put back
/// in vain does no harm, as its id is the table's key. After a sync that failed, what the front wrote is not found but
/// made anew; see ``SpoolJournal/distrust``.
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
    }

    /// Replays the journal; durable on return.
    ///
    /// - Throws: `SpoolError`, or what `committed` throws.
    func run(_ contents: JournalContents) throws -> Outcome {
        var outcome = Outcome()
        guard !contents.groups.isEmpty else { return outcome }
        let isTrusted = try files.status(of: directory.path(.tmp, SpoolJournal.distrust)) == nil
        var redriven: Set<BookingID>?
        for group in contents.groups where try !(isTrusted && isThere(group)) {
            var missing = group.messages
            for _ in 0..<2 {
                if missing.isEmpty { break }
                if redriven == nil { redriven = try redrivenIDs() }
                let inTable = try committed(missing.map(\.message.id))
                var left: [(message: Message, line: ArraySlice<UInt8>)] = []
                for candidate in missing {
                    let id = candidate.message.id
                    if inTable.contains(id) || redriven?.contains(id) ?? false { continue }
                    if try !isElsewhere(candidate.message, than: isTrusted ? nil : group) {
                        left.append(candidate)
                    }
                }
                missing = left
            }
            try putBack(missing, of: group)
            outcome.messages += missing.count
        }
        do throws(SpoolError) {
            try files.syncDirectory(directory.path(of: .incoming))
        } catch {
            SpoolJournal.distrust(after: error, directory, files)
            throw error
        }
        return outcome
    }

    /// Whether the group's file is in the queue.
    private func isThere(_ group: JournalGroup) throws(SpoolError) -> Bool {
        for place in [SpoolPlace.incoming, .active] where try holds(place, group) { return true }
        return false
    }

    /// Whether the file of the group's name holds all its messages: as they were written, or as a worker has written
    /// them again. One that was accepted alone and then deferred has the same name.
    private func holds(_ place: SpoolPlace, _ group: JournalGroup) throws(SpoolError) -> Bool {
        if try isWhole(group, in: place) { return true }
        var missing = Set(group.messages.map(\.message.id))
        try SpoolReader(directory, files: files).forEachMessage(in: place, group.name) { message in
            missing.remove(message.id)
            return !missing.isEmpty
        }
        return missing.isEmpty
    }

    /// Whether the group's file is as it was written.
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

    /// Whether the message itself is deferred, in hand or dead, or was deleted. What has its name and is damaged, or
    /// is another's, doesn't count.
    ///
    /// - Parameter group: whose own file doesn't count either, wherever it is.
    func isElsewhere(_ message: Message, than group: JournalGroup? = nil) throws(SpoolError) -> Bool {
        let reader = SpoolReader(directory, files: files)
        let single = SpoolFileName.make(first: message.id, count: 1)
        for (place, name) in [
            (SpoolPlace.deferred, single), (.active, single), (.dead, DeadLetterFile.name(message.id)),
        ] {
            if let group, name == group.name, try isWhole(group, in: place) { continue }
            if try reader.message(message.id, in: place, name) != nil { return true }
        }
        let tombstone = directory.path(.dead, DeadLetterFile.deletedName(message.id))
        return try files.status(of: tombstone).map { $0.size > 0 } ?? false
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
        // A file of the group's own name tells the worker that what it has of it is broken.
        var mustTell = false
        if !ownsActive, try files.status(of: directory.path(.active, group.name)) != nil {
            mustTell = try !holds(.active, group)
        }
        var name = group.name
        if !mustTell {
            guard let first = missing.first else { return try removeBroken(group) }
            name = SpoolFileName.make(first: first.message.id, count: missing.count)
        }
        try keepOthers(of: group, in: .incoming, name)
        let unfinished = directory.path(.tmp, ".\(name)")
        var lines = missing.flatMap { Array($0.line) + [UInt8(ascii: "\n")] }
        if lines.isEmpty { lines = [UInt8(ascii: "\n")] }
        try files.write([.bytes(lines)], to: unfinished, mode: 0o440)
        try files.rename(unfinished, to: directory.path(.incoming, name), replacing: true)
        try removeBroken(group, unlessIncoming: name)
    }

    private func removeBroken(_ group: JournalGroup, unlessIncoming name: String? = nil) throws(SpoolError) {
        if name != group.name { try removeBroken(group, in: .incoming) }
        try removeBroken(group, in: .active)
    }

    /// Removes what a power cut has left of a group's file.
    private func removeBroken(_ group: JournalGroup, in place: SpoolPlace) throws(SpoolError) {
        guard place != .active || ownsActive, try !holds(place, group) else { return }
        try keepOthers(of: group, in: place, group.name)
        try files.remove(directory.path(place, group.name))
    }

    /// A file that bears the group's name and holds messages of others was not left by a power cut: it waits on
    /// under a name that promises nothing.
    private func keepOthers(of group: JournalGroup, in place: SpoolPlace, _ name: String) throws(SpoolError) {
        let own = Set(group.messages.map(\.message.id))
        var hasOthers = false
        try SpoolReader(directory, files: files).forEachMessage(in: place, name) { message in
            hasOthers = !own.contains(message.id)
            return !hasOthers
        }
        guard hasOthers else { return }
        try files.rename(
            directory.path(place, name), to: directory.misplacedPath(name, using: files), replacing: false)
    }
}
