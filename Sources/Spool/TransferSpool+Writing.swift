public import Bookings

extension TransferSpool {
    /// What is in the spool, to look up by id.
    public struct Contents {
        fileprivate var messages: [BookingID: (whole: UInt128, origin: UInt128)] = [:]
        fileprivate var letters: [BookingID: (whole: UInt128, origin: UInt128?)] = [:]
        /// Who claims what.
        fileprivate var claims: [ClaimKey: BookingID] = [:]

        /// How what waits under this message's id stands to it; nil when nothing does.
        public func match(_ stored: StoredMessage) -> TransferMatch? {
            guard let found = messages[stored.message.id] else { return nil }
            if found.whole == RecordHash(stored).value { return .same }
            return found.origin == RecordHash(stored.origin).value ? .later : .different
        }

        /// How the letter of this id stands to it; nil when there is none.
        public func match(_ letter: StoredLetter) -> TransferMatch? {
            letters[letter.id].map { $0.whole == RecordHash(letter).value ? .same : .different }
        }

        /// Whether the very message is a letter.
        public func isDead(_ stored: StoredMessage) -> Bool {
            letters[stored.message.id]?.origin == RecordHash(stored.origin).value
        }

        /// What waits and claims the same.
        public func claimant(against request: BookingRequest) -> BookingID? {
            claims[request.claim] ?? request.keyClaim.flatMap { claims[$0] }
        }
    }

    /// Reads all that is in the spool now, as a look-up table of some hundred bytes a message.
    public func contents() throws -> Contents {
        var contents = Contents()
        for place in [SpoolPlace.deferred, .active, .incoming] where try exists(place) {
            entries[place] = try reader.entries(in: place)
        }
        if try exists(.dead) { letterIDs = Set(try DeadLetterStore(directory, files: files).ids()) }
        try forEachMessages(upTo: 500) { messages in
            for stored in messages {
                contents.messages[stored.message.id] = (
                    RecordHash(stored).value, RecordHash(stored.origin).value
                )
                contents.claims[stored.message.request.claim] = stored.message.id
                if let key = stored.message.request.keyClaim { contents.claims[key] = stored.message.id }
            }
        }
        try forEachLetters(upTo: 100) { letters in
            for letter in letters {
                let origin = letter.message.map { StoredMessage(message: $0, isDeferred: false).origin }
                contents.letters[letter.id] = (RecordHash(letter).value, origin.map { RecordHash($0).value })
            }
        }
        return contents
    }

    private func exists(_ place: SpoolPlace) throws(SpoolError) -> Bool {
        try files.status(of: directory.path(of: place)) != nil
    }

    /// Writes messages that aren't there, in order of their ids; durable after ``sync()``.
    public func write(_ messages: [StoredMessage]) throws {
        for stored in messages where stored.isDeferred {
            let message = stored.message
            try write(
                [.bytes(try MessageLine.encode(message))], in: .deferred,
                SpoolFileName.make(first: message.id, count: 1))
        }
        let queued = messages.filter { !$0.isDeferred }.map(\.message)
        // Who reads it believes only the worker that a message was redriven.
        let redriven = queued.filter { $0.redriveCount > 0 }
        let others = queued.filter { $0.redriveCount == 0 }
        if let first = redriven.first {
            try write(
                [.bytes(try redriven.flatMap(MessageLine.encode))], in: .incoming,
                SpoolFileName.redriven(first.id), mode: 0o640, ownerOf: .dead)
        }
        if let first = others.first {
            try write(
                [.bytes(try others.flatMap(MessageLine.encode))], in: .incoming,
                SpoolFileName.make(first: first.id, count: others.count), mode: 0o440)
        }
    }

    /// Writes a letter; durable after ``sync()``. A body of which only the beginning is known lies beside it, so that the
    /// letter can tell how long the whole was.
    public func write(_ letter: StoredLetter) throws {
        var body: [UInt8]
        let size: Int
        switch letter.content {
        case .message(let message):
            body = try MessageLine.encode(message).dropLast()
            size = body.count
        case .bytes(let bytes, let whole): (body, size) = (bytes, whole)
        }
        var file = DeadLetterFile(
            id: letter.id, class: letter.failure, reason: letter.reason, deadOn: letter.deadOn,
            receiveCount: letter.receiveCount, userId: letter.userID, apartmentId: letter.apartmentID,
            attempts: letter.attempts, fromFile: SpoolFileName.make(first: letter.id, count: 1), fromLine: 1,
            bodySize: size, redriveCount: letter.redriveCount > 0 ? letter.redriveCount : nil)
        if size != body.count {
            file.bodyFile = file.bodyName
            try write([.bytes(body)], in: .dead, file.bodyName)
            body = []
        }
        let content = FileContent.bytes(body)
        try write(
            [.bytes(try file.header(for: [content])), content], in: .dead, DeadLetterFile.name(file.id))
    }

    /// Writes a file so that it is whole whenever its name is there, for the daemon that owns the place.
    private func write(
        _ contents: [FileContent], in place: SpoolPlace, _ name: String, mode: UInt32 = 0o640,
        ownerOf model: SpoolPlace? = nil
    ) throws(SpoolError) {
        let unfinished = directory.path(.active, ".\(name)")
        try files.write(contents, to: unfinished, mode: mode, synced: false)
        giveOwner(of: directory.path(of: model ?? place), to: unfinished)
        try files.rename(unfinished, to: directory.path(place, name), replacing: true)
    }

    /// Makes all that was written durable.
    public func sync() throws(SpoolError) { try files.syncFileSystem(of: directory.root) }
}
