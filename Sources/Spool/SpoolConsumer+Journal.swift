public import Bookings

// The journal is the front's. After a power cut whoever starts first replays it, so that what was accepted doesn't
// wait for the next caller; and what is deleted must not come back by a replay.
extension SpoolConsumer {
    /// Replays the journal, unless there is a front, which has done so or does it now: then it is waited for.
    mutating func replayJournal(
        committed: ([BookingID]) throws(TableUnavailable) -> Set<BookingID>
    ) throws {
        if let lock = try SpoolLock.inPlaceOfFront(directory) {
            try withExtendedLifetime(lock) {
                let contents = try JournalContents(directory, files: files)
                for segment in contents.damagedSegments {
                    let stretches = contents.damage.count { $0.segment == segment }
                    notices.append(.damagedJournal(segment: segment, stretches: stretches))
                }
                try withoutActuallyEscaping(committed) { committed in
                    let replay = SpoolReplay(
                        directory: directory, files: files, committed: { try committed($0) }, ownsActive: true
                    )
                    let outcome = try replay.run(contents)
                    if outcome.messages > 0 { notices.append(.replayed(outcome.messages)) }
                }
            }
        }
        try removeReplaced()
    }

    /// Removes what a power cut has left in `active/` of a file whose missing messages the front has put back into
    /// `incoming/`, under the same name.
    private func removeReplaced() throws(SpoolError) {
        let reader = SpoolReader(directory, files: files)
        for name in try reader.names(in: .active) {
            guard let count = SpoolFileName.count(in: name), try reader.exists(.incoming, name)
            else { continue }
            let held = try messages(in: .active, name)
            guard held.count < count else { continue }
            // Nothing in it was missing when there is nothing in the other.
            if try messages(in: .incoming, name).isEmpty {
                try files.remove(directory.path(.incoming, name))
            }
            let path = directory.path(.active, name)
            let group = try JournalContents(directory, files: files).allGroups.first { $0.name == name }
            if held.isSubset(of: group?.messages.map(\.message.id) ?? Array(held)) {
                try files.remove(path)
            } else {
                // Other messages under the group's name were not left by a power cut.
                try files.rename(path, to: directory.misplacedPath(name, using: files), replacing: false)
            }
        }
    }

    private func messages(in place: SpoolPlace, _ name: String) throws(SpoolError) -> Set<BookingID> {
        var ids: Set<BookingID> = []
        try SpoolReader(directory, files: files).forEachMessage(in: place, name) { message in
            ids.insert(message.id)
            return true
        }
        return ids
    }

    /// Those of these messages, which have left the spool, that nothing brings back into it: no power cut, as it is durable
    /// that they have left, and no replay.
    public func beyondRecall(_ ids: Set<BookingID>) throws(QueueUnavailable) -> Set<BookingID> {
        do {
            for place in [SpoolPlace.incoming, .active, .deferred] {
                try files.syncDirectory(directory.path(of: place))
            }
            return ids.subtracting(try journaledIDs())
        } catch {
            throw QueueUnavailable(error)
        }
    }

    /// Notes durably which of these letters are deleted while the journal still holds their messages. The directory
    /// is not synced.
    func noteDeleted(_ ids: [BookingID]) throws(SpoolError) {
        let journaled = try journaledIDs()
        for id in ids where journaled.contains(id) {
            try write(
                [.bytes(DeadLetterFile.deletedMark)],
                to: directory.path(.dead, DeadLetterFile.deletedName(id)))
        }
    }

    /// Forgets deletions that no replay can undo any more.
    func forgetDeletions() throws(SpoolError) {
        let deleted = try files.names(in: directory.path(of: .dead)).filter {
            DeadLetterFile.deletedID(in: $0) != nil
        }
        guard !deleted.isEmpty else { return }
        let journaled = try journaledIDs()
        for name in deleted {
            guard let id = DeadLetterFile.deletedID(in: name), !journaled.contains(id) else { continue }
            try files.remove(directory.path(.dead, name))
        }
    }

    private func journaledIDs() throws(SpoolError) -> Set<BookingID> {
        let contents = try JournalContents(directory, files: files)
        return Set(contents.groups.flatMap { $0.messages.map(\.message.id) })
    }
}
