public import Bookings

extension SpoolConsumer {
    /// Makes the directories that are missing, sweeps unfinished files, and learns what is deferred and dead.
    public mutating func start(at time: Timestamp) throws(QueueUnavailable) {
        do {
            try directory.makeMissing(using: files)
            for place in [SpoolPlace.active, .deferred, .dead] {
                for name in try files.names(in: directory.path(of: place)) where SpoolFileName.isHidden(name)
                {
                    // A directory of such a name is nobody's unfinished file.
                    let path = directory.path(place, name)
                    if try files.status(of: path)?.kind != .directory { try files.remove(path) }
                }
            }
            deadIDs = Set(try letters.ids())
            try forgetDeletions()
            try finishRedrives()
            deferred = DeferredMessages()
            for name in try files.names(in: directory.path(of: .deferred)) {
                let read = Result { () throws(SpoolError) in try storedMessage(.deferred, name) }
                if case .success(let found) = read, try putBackMisplaced(name, found) { continue }
                let message = try? read.get()
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

    /// Puts a file of `deferred/` that isn't what its name says back into `incoming/`, under a name that promises
    /// nothing. It is judged there line by line, and nothing else is written over it.
    private mutating func putBackMisplaced(_ name: String, _ message: Message?) throws(SpoolError) -> Bool {
        let path = directory.path(.deferred, name)
        guard message.map({ SpoolFileName.make(first: $0.id, count: 1) != name }) ?? true,
            try files.status(of: path)?.kind == .regular
        else { return false }
        try files.rename(path, to: directory.misplacedPath(name, using: files), replacing: false)
        notices.append(.misplaced(name: name))
        return true
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
        var isDurable = false
        do {
            try replayJournal(committed: committed)
            var settled: [String] = []
            for name in try files.names(in: directory.path(of: .active)).sorted() {
                guard charged.count < limit, let file = try openLeftover(name) else { continue }
                let isSettled = try chargeSuspects(
                    of: file, &charged, upTo: limit, at: time, committed: committed, charge: charge)
                if isSettled { settled.append(name) }
            }
            for place in [SpoolPlace.deferred, .dead] where !charged.isEmpty || !settled.isEmpty {
                try files.syncDirectory(directory.path(of: place))
            }
            isDurable = true
            for name in settled { try files.remove(directory.path(.active, name)) }
            for name in try files.names(in: directory.path(of: .active)) {
                _ = try putBack(name, to: .incoming)
                suspects.insert(name)
            }
        } catch {
            // What was written is written again by the next try: a sync that fails once doesn't tell of it again.
            for id in charged where !isDurable {
                deferred.remove(SpoolFileName.make(first: id, count: 1))
                deadIDs.remove(id)
            }
            throw (error as? SpoolError).map { QueueUnavailable($0) } ?? error
        }
        return charged
    }

    /// Whether a message of a dead worker's file is durable in `deferred/` or `dead/` already: itself, and not only
    /// something that bears its id.
    private func isSetAside(_ message: Message) throws(SpoolError) -> Bool {
        if deferred.contains(message.id) {
            let other = try storedMessage(.deferred, SpoolFileName.make(first: message.id, count: 1))
            return other?.id == message.id && other?.request == message.request
        }
        guard try isDead(message) else { return false }
        let letter = DeadLetterFile.name(message.id)
        return try SpoolReader(directory, files: files).message(message.id, in: .dead, letter)?.request
            == message.request
    }

    private mutating func openLeftover(_ name: String) throws(SpoolError) -> ActiveFile? {
        guard let status = try files.status(of: directory.path(.active, name)), status.kind == .regular
        else { return nil }
        return try opened(name, status)
    }

    /// - Returns: whether each message of the file is durable elsewhere, once the directories are synced.
    private mutating func chargeSuspects(
        of file: ActiveFile, _ charged: inout [BookingID], upTo limit: Int, at time: Timestamp,
        committed: ([BookingID]) throws(TableUnavailable) -> Set<BookingID>, charge: (Message) -> Settlement
    ) throws -> Bool {
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
                if try !isSetAside(message) {
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
        return isAtEnd && !hasOthers
    }
}
