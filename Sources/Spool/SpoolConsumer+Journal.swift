import Bookings

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
                try withoutActuallyEscaping(committed) { committed in
                    let replay = SpoolReplay(
                        directory: directory, files: files, committed: { try committed($0) }, ownsActive: true
                    )
                    let outcome = try replay.run(contents)
                    if outcome.messages > 0 { notices.append(.replayed(outcome.messages)) }
                }
            }
        }
        try removeHollow()
    }

    /// Removes what a power cut has left in `active/` of files that the front has put back into `incoming/`.
    private func removeHollow() throws(SpoolError) {
        let reader = SpoolReader(directory, files: files)
        for name in try reader.names(in: .active) where SpoolFileName.count(in: name) != nil {
            guard reader.exists(.incoming, name) else { continue }
            var hasMessage = false
            try reader.forEachMessage(in: .active, name) { _ in
                hasMessage = true
                return false
            }
            if !hasMessage { try files.remove(directory.path(.active, name)) }
        }
    }

    /// Notes durably which of these letters are deleted while the journal still holds their messages. The directory
    /// is not synced.
    func noteDeleted(_ ids: [BookingID]) throws(SpoolError) {
        let journaled = try journaledIDs()
        for id in ids where journaled.contains(id) {
            try write(
                [.bytes(Array("deleted\n".utf8))], to: directory.path(.dead, DeadLetterFile.deletedName(id)))
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
