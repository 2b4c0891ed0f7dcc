public import Bookings
import Glibc

extension TransferSpool {
    /// How much of a letter's body goes with it.
    public static let bodyBytes = 8 << 20

    /// Most bytes of bodies in a portion.
    private static let portionBytes = 16 << 20

    /// Calls `body` with all messages that wait, each once, in portions of up to `limit`.
    ///
    /// - Throws: `SpoolError`, or what `body` throws.
    public func forEachMessages(upTo limit: Int, _ body: ([StoredMessage]) throws -> Void) throws {
        var seen: [BookingID: UInt64] = [:]
        var portion: [StoredMessage] = []
        let worker = owner(of: directory.path(of: .active))
        for place in [SpoolPlace.deferred, .active, .incoming] {
            for name in (entries[place] ?? []).map(\.description) {
                guard var messages = try reader.messages(in: place, name) else {
                    guard try reader.exists(place, name) else { continue }
                    note(TransferConflict(id: name, reason: "It can't be read as messages."))
                    continue
                }
                // Only what a worker wrote was redriven.
                let isRedriven = owner(of: directory.path(place, name)) == worker
                while var message = try messages.next() {
                    if !isRedriven { message.redriveCount = 0 }
                    guard try isValid(message, &seen) else { continue }
                    portion.append(StoredMessage(message: message, isDeferred: place == .deferred))
                    if portion.count >= limit {
                        try body(portion)
                        portion = []
                    }
                }
                // A file that could not go back to incoming/ was not judged.
                guard place == .active, messages.unreadable > 0 else { continue }
                note(
                    TransferConflict(
                        id: name,
                        reason: "It holds what is no booking. Start the worker, which sets that aside."))
            }
        }
        if !portion.isEmpty { try body(portion) }
    }

    /// Whether a message isn't there in a better place, or again.
    private func isValid(_ message: Message, _ seen: inout [BookingID: UInt64]) throws(SpoolError) -> Bool {
        let fingerprint = message.fingerprint
        if let other = seen[message.id] {
            if other != fingerprint { noteTwice(message.id, "a message that waits") }
            return false
        }
        if letterIDs.contains(message.id),
            let letter = try StoredDeadLetter.read(
                directory.path(.dead, DeadLetterFile.name(message.id)), files: files),
            case .success(let dead) = try letter.message(in: directory, files: files)
        {
            if dead.request != message.request {
                noteTwice(message.id, "a dead letter")
                return false
            }
            if letter.fields.redriveCount ?? 0 >= message.redriveCount { return false }
            noteTwice(message.id, "a dead letter that it was made of")
            return false
        }
        seen[message.id] = fingerprint
        return true
    }

    private func noteTwice(_ id: BookingID, _ what: String) {
        note(
            TransferConflict(
                id: id.description,
                reason:
                    "Its id belongs to \(what) in the spool as well. Start the worker, which decides that."))
    }

    /// Notes once what can't be moved.
    func note(_ conflict: TransferConflict) {
        if !conflicts.contains(conflict) { conflicts.append(conflict) }
    }

    /// Calls `body` with all letters, in portions of up to `limit`, and fewer where they are large.
    ///
    /// - Throws: `SpoolError`, or what `body` throws.
    public func forEachLetters(upTo limit: Int, _ body: ([StoredLetter]) throws -> Void) throws {
        var portion: [StoredLetter] = []
        var bytes = 0
        for id in letterIDs.sorted() {
            guard let letter = try letter(id) else { continue }
            if !letter.isWhole, !kept.contains(id.description) { kept.append(id.description) }
            portion.append(letter)
            if case .bytes(let content, _) = letter.content { bytes += content.count }
            if portion.count >= limit || bytes >= Self.portionBytes {
                try body(portion)
                (portion, bytes) = ([], 0)
            }
        }
        if !portion.isEmpty { try body(portion) }
    }

    func letter(_ id: BookingID) throws(SpoolError) -> StoredLetter? {
        let path = directory.path(.dead, DeadLetterFile.name(id))
        guard let letter = try StoredDeadLetter.read(path, files: files), try letter.damage() == nil else {
            guard try files.status(of: path) != nil else { return nil }
            note(
                TransferConflict(
                    id: id.description,
                    reason: "The letter's own file is damaged. Mend it with 'acmsctl check --repair'."))
            return nil
        }
        let fields = letter.fields
        let content: StoredLetter.Content
        if case .success(let message) = try letter.message(in: directory, files: files) {
            content = .message(message)
        } else {
            content = .bytes(
                try letter.body(limit: Self.bodyBytes, in: directory, files: files), size: fields.bodySize)
        }
        return StoredLetter(
            id: id, failure: fields.class, reason: fields.reason, deadOn: fields.deadOn,
            receiveCount: fields.receiveCount, redriveCount: fields.redriveCount ?? 0, userID: fields.userId,
            apartmentID: fields.apartmentId, attempts: fields.attempts, content: content)
    }

    private func owner(of path: String) -> uid_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_uid : nil
    }

    /// Removes what was moved. Letters whose bodies didn't go with them stay.
    public func removeMoved() throws {
        for place in [SpoolPlace.incoming, .active, .deferred] {
            for name in entries[place] ?? [] { try files.remove(directory.path(place, name.description)) }
        }
        let remaining = Set(kept)
        for id in letterIDs where !remaining.contains(id.description) {
            try files.removeTree(directory.path(.dead, "\(id)\(DeadLetterFile.bodySuffix)"))
            try files.remove(directory.path(.dead, DeadLetterFile.name(id)))
        }
        for place in SpoolPlace.allCases where place != .tmp {
            try files.syncDirectory(directory.path(of: place))
        }
        if try pause() != nil { try setPause(nil) }
    }
}

extension Message {
    /// Tells what it asks for from something else.
    fileprivate var fingerprint: UInt64 {
        var asked = ContentHash()
        for text in [
            request.userID, request.apartmentID, request.stay.start.description,
            request.stay.end.description, request.idempotencyKey ?? "",
        ] {
            asked.mix(text)
            asked.mix(0)
        }
        return asked.low
    }
}
