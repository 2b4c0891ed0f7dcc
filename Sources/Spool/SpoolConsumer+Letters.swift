public import Bookings

extension SpoolConsumer {
    /// The message that a letter would be in the queue: its id and history, a fresh receive count.
    ///
    /// - Parameters:
    ///   - filter: the letter must match it.
    ///   - input: what to book instead; nil for what the letter holds. Without a key of its own it keeps the
    ///     letter's, as long as the user is the same: whoever asks again with that key must find this booking.
    /// - Throws: ``RedriveObstacle``, or `QueueUnavailable`.
    public func redrivable(
        _ id: BookingID, matching filter: DeadLetterFilter?, replacing input: CreateBookingInput?
    ) throws -> Message {
        do {
            guard let letter = try storedLetter(id), try letters.matches(id, filter) else {
                throw RedriveObstacle.notFound
            }
            let fields = letter.fields
            return try Message(
                redriving: try letter.message(in: directory, files: files), of: id, deadOn: fields.deadOn,
                attempts: fields.attempts, redriveCount: fields.redriveCount ?? 0, replacing: input)
        } catch let error as SpoolError {
            throw QueueUnavailable(error)
        }
    }

    /// None: what another message claims is found by the worker.
    public func obstacles(to messages: [Message]) -> [BookingID: RedriveObstacle] { [:] }

    /// Puts letters' messages back into the queue, durably, and then removes the letters. Nothing may be in hand.
    ///
    /// A crash between leaves both; the message has the higher redrive count, by which it replaces the letter.
    ///
    /// - Parameter name: of the file that the messages get, unlike any other's.
    /// - Returns: none; what can't be put back is found by the worker.
    /// - Throws: when none of them is in the queue again.
    @discardableResult
    public mutating func redrive(
        _ messages: [Message], as name: BookingID
    ) throws(QueueUnavailable) -> [BookingID: RedriveObstacle] {
        guard !messages.isEmpty else { return [:] }
        // One that killed the worker is tried by itself again, so that it can't harm its neighbours.
        let suspects = messages.filter { $0.attempts.last?.class == Attempt.crash }
        let others = messages.filter { $0.attempts.last?.class != Attempt.crash }
        do {
            try forget(messages.map(\.id))
            for message in suspects { try writeDeferred(message, due: message.acceptedOn) }
            if !suspects.isEmpty { try files.syncDirectory(directory.path(of: .deferred)) }
            if !others.isEmpty {
                let lines = try others.flatMap(MessageLine.encode)
                try writeWhole([.bytes(lines)], to: .incoming, SpoolFileName.redriven(name), by: .dead)
                try files.syncDirectory(directory.path(of: .incoming))
            }
            FaultPoint.reached("worker.redrive")
        } catch {
            try? files.remove(directory.path(.incoming, SpoolFileName.redriven(name)))
            for message in suspects {
                let name = SpoolFileName.make(first: message.id, count: 1)
                deferred.remove(name)
                try? files.remove(directory.path(.deferred, name))
            }
            throw error as? QueueUnavailable ?? QueueUnavailable(reason: "The spool can't be used. \(error)")
        }
        // The messages are safe. A letter that can't be removed now goes when its message is received.
        for message in messages { try? removeLetter(message.id) }
        try? files.syncDirectory(directory.path(of: .dead))
        return [:]
    }

    /// Deletes letters for good. Nothing may be in hand.
    ///
    /// - Returns: those that could not be deleted, and why.
    public mutating func delete(_ ids: [BookingID]) throws(QueueUnavailable) -> [BookingID: DeletionObstacle]
    {
        var failures: [BookingID: DeletionObstacle] = [:]
        do {
            try forget(ids)
            try noteDeleted(ids)
            for id in ids {
                do {
                    try removeLetter(id)
                } catch {
                    failures[id] = .unavailable(reason: QueueUnavailable(error).reason)
                }
            }
            FaultPoint.reached("worker.delete")
            try files.syncDirectory(directory.path(of: .dead))
        } catch {
            throw QueueUnavailable(error)
        }
        return failures
    }

    /// Whether a letter is there, and matches the filter.
    public func hasLetter(_ id: BookingID, matching filter: DeadLetterFilter?) throws(QueueUnavailable)
        -> Bool
    {
        do {
            return try letters.matches(id, filter)
        } catch {
            throw QueueUnavailable(error)
        }
    }

    /// Removes the letters of messages that a worker has put back into the queue just before it died.
    mutating func finishRedrives() throws(SpoolError) {
        let reader = SpoolReader(directory, files: files)
        for place in [SpoolPlace.active, .incoming] {
            for name in try reader.names(in: place) where SpoolFileName.isRedriven(name) {
                guard try files.status(of: directory.path(place, name))?.isOwn ?? false else { continue }
                var messages: [Message] = []
                try reader.forEachMessage(in: place, name) { message in
                    messages.append(message)
                    return true
                }
                for message in messages { try removeLetter(replacedBy: message) }
            }
        }
    }

    /// Removes the letter that a redriven message has left behind, if there is one, durably: once the message is in the
    /// table, nothing tells any more that it has replaced the letter.
    mutating func removeLetter(replacedBy message: Message) throws(SpoolError) {
        guard deadIDs.contains(message.id), try !isDead(message) else { return }
        try removeLetter(message.id)
        try files.syncDirectory(directory.path(of: .dead))
    }

    /// Whether a message is a dead letter, and no newer than it: redriven since, it takes the letter's place.
    func isDead(_ message: Message) throws(SpoolError) -> Bool {
        guard deadIDs.contains(message.id) else { return false }
        guard message.redriveCount > 0, let letter = try storedLetter(message.id) else { return true }
        return letter.fields.redriveCount ?? 0 >= message.redriveCount
    }

    /// A letter's head; nil when it isn't there or its own file is damaged.
    private func storedLetter(_ id: BookingID) throws(SpoolError) -> StoredDeadLetter? {
        try StoredDeadLetter.read(directory.path(.dead, DeadLetterFile.name(id)), files: files)
    }

    /// Removes a letter and what lies beside it, first the latter: what is left of a letter must be seen.
    mutating func removeLetter(_ id: BookingID) throws(SpoolError) {
        let letter = try storedLetter(id)
        // A damaged letter does not name its body.
        let body = letter.map(\.fields.bodyFile) ?? "\(id)\(DeadLetterFile.bodySuffix)"
        if let body { try files.removeTree(directory.path(.dead, body)) }
        try files.remove(directory.path(.dead, DeadLetterFile.name(id)))
        deadIDs.remove(id)
    }
}
