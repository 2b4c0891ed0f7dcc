public import Bookings

extension SpoolConsumer {
    /// Counts messages, looking at the directories anew. Files that front daemons wrote carry their count in
    /// their names; others are read.
    public mutating func counts() throws(QueueUnavailable) -> QueueCounts {
        try scan(retryingStuck: false)
        var counts = QueueCounts()
        do {
            for name in waiting {
                counts.incoming += try count(name, in: .incoming)
                try note(name, in: .incoming, oldest: &counts.oldest)
            }
            for file in taken.values { counts.active += file.outstanding.count }
            if let current {
                counts.active += try current.unread()
                try note(current.name, in: .active, oldest: &counts.oldest)
            }
            let names = try files.names(in: directory.path(of: .deferred)).filter {
                !SpoolFileName.isHidden($0)
            }
            counts.deferred = names.count
            for name in names { try note(name, in: .deferred, oldest: &counts.oldest) }
            counts.dead = try letters.ids().count
        } catch {
            throw QueueUnavailable(error)
        }
        return counts
    }

    private func count(_ name: String, in place: SpoolPlace) throws(SpoolError) -> Int {
        if let count = SpoolFileName.count(in: name) { return count }
        let path = directory.path(place, name)
        do {
            guard let status = try files.status(of: path), status.kind == .regular else { return 1 }
            var lines = LineReader(try files.open(path))
            var count = 0
            while let line = try lines.next() { count += line.isBlank ? 0 : 1 }
            return max(1, count)
        } catch {
            if error.concernsOnlyTheFile { return 1 }
            throw error
        }
    }

    private func note(_ name: String, in place: SpoolPlace, oldest: inout Timestamp?) throws(SpoolError) {
        var time = BookingID(String(name.prefix(36)))?.time
        if time == nil, let status = try files.status(of: directory.path(place, name)) {
            time = Timestamp(milliseconds: status.modifiedMilliseconds)
        }
        oldest = [oldest, time].compactMap { $0 }.min()
    }

    /// Where a message waits; nil when it is not in the queue. Reads at most one file of those that front
    /// daemons wrote, found by the order of their names, and those put in by hand.
    public mutating func progress(of id: BookingID) throws(QueueUnavailable) -> Progress? {
        if deferred.contains(id) { return .deferred }
        if deadIDs.contains(id) { return .deadLettered }
        try scan(retryingStuck: false)
        let reader = SpoolReader(directory, files: files)
        do {
            let active = try files.names(in: directory.path(of: .active)).map { (SpoolPlace.active, $0) }
            let entries = active + waiting.map { (SpoolPlace.incoming, $0) }
            for (place, name) in SpoolReader.candidates(for: id, among: entries)
            where try reader.message(id, in: place, name) != nil {
                return .queued
            }
        } catch {
            throw QueueUnavailable(error)
        }
        return nil
    }
}
