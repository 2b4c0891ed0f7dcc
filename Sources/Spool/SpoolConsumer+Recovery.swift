public import Bookings

extension SpoolConsumer {
    /// Makes the directories that are missing, sweeps unfinished files, and learns what is deferred and dead.
    public mutating func start(at time: Timestamp) throws(QueueUnavailable) {
        do {
            try directory.makeMissing(using: files)
            for place in [SpoolPlace.active, .deferred, .dead] {
                for name in try files.names(in: directory.path(of: place)) where SpoolFileName.isHidden(name)
                {
                    try files.remove(directory.path(place, name))
                }
            }
            deadIDs = Set(try letters.ids())
            try forgetDeletions()
            try finishRedrives()
            deferred = DeferredMessages()
            for name in try files.names(in: directory.path(of: .deferred)) {
                let message = try? storedMessage(.deferred, name)
                if let message { try removeLetter(replacedBy: message) }
                deferred.insert(
                    name, due: message?.notBefore ?? time,
                    alone: message?.attempts.last?.class == Attempt.crash)
            }
            reserve.keep()
        } catch {
            throw QueueUnavailable(error)
        }
    }

    /// Deals with what a dead worker left in `active/`. Lines are settled in their order, so those it may have
    /// had in hand are the first `limit` that are durable nowhere else: each is charged, durably, and will be
    /// tried alone. Then the files go back to `incoming/`, where their settled lines are no-ops.
    ///
    /// - Parameters:
    ///   - committed: which of these ids are in the table.
    ///   - charge: what becomes of a message that may have killed the worker.
    /// - Returns: the messages charged.
    public mutating func recover(
        upTo limit: Int, at time: Timestamp,
        committed: ([BookingID]) throws(TableUnavailable) -> Set<BookingID>,
        charge: (Message) -> Settlement
    ) throws -> [BookingID] {
        var charged: [BookingID] = []
        do {
            try replayJournal(committed: committed)
            var settled: [String] = []
            for name in try files.names(in: directory.path(of: .active)).sorted() {
                guard charged.count < limit, let file = try openLeftover(name) else { continue }
                let outcome = try chargeSuspects(
                    of: file, upTo: limit - charged.count, at: time, committed: committed, charge: charge)
                charged += outcome.charged
                if outcome.isSettled { settled.append(name) }
            }
            // Also what an earlier try wrote and could not sync.
            for place in [SpoolPlace.deferred, .dead] where !charged.isEmpty || !settled.isEmpty {
                try files.syncDirectory(directory.path(of: place))
            }
            for name in settled { try files.remove(directory.path(.active, name)) }
            for name in try files.names(in: directory.path(of: .active)) {
                _ = try putBack(name, to: .incoming)
                suspects.insert(name)
            }
        } catch let error as SpoolError {
            throw QueueUnavailable(error)
        }
        return charged
    }

    private mutating func openLeftover(_ name: String) throws(SpoolError) -> ActiveFile? {
        guard let status = try files.status(of: directory.path(.active, name)), status.kind == .regular
        else { return nil }
        return try opened(name, status)
    }

    private mutating func chargeSuspects(
        of file: ActiveFile, upTo limit: Int, at time: Timestamp,
        committed: ([BookingID]) throws(TableUnavailable) -> Set<BookingID>, charge: (Message) -> Settlement
    ) throws -> (charged: [BookingID], isSettled: Bool) {
        var charged: [BookingID] = []
        var isAtEnd = false
        var hasOthers = false
        while charged.count < limit, !isAtEnd {
            var chunk: [(line: ActiveFile.Line, message: Message)] = []
            while chunk.count < 256 {
                guard let line = try file.next() else {
                    isAtEnd = true
                    break
                }
                guard case .success(let message) = line.content else {
                    hasOthers = true
                    continue
                }
                if !deferred.contains(message.id), try !isDead(message) {
                    chunk.append((line, message))
                }
            }
            let done = try committed(chunk.map(\.message.id))
            for (line, message) in chunk where !done.contains(message.id) {
                guard charged.count < limit else {
                    hasOthers = true
                    break
                }
                if try write(charge(message), of: line, in: file, at: time) != nil {
                    charged.append(message.id)
                }
            }
        }
        return (charged, isAtEnd && !hasOthers)
    }
}
