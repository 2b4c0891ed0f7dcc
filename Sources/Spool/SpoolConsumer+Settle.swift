public import Bookings

extension SpoolConsumer {
    /// Settles messages: durable on return, and only then gone from the queue.
    public mutating func settle(
        _ settlements: [(Receipt, Settlement)], at time: Timestamp
    ) throws(QueueUnavailable) {
        var places: Set<SpoolPlace> = []
        do {
            for (receipt, settlement) in settlements {
                guard let file = taken[receipt.source], let line = file.outstanding[receipt.number] else {
                    continue
                }
                if let place = try write(settlement, of: line, in: file, at: time) { places.insert(place) }
            }
            for place in SpoolPlace.allCases where places.contains(place) {
                try files.syncDirectory(directory.path(of: place))
            }
            account(settlements.map(\.0))
        } catch let error as SpoolError {
            throw QueueUnavailable(error)
        } catch let error as QueueUnavailable {
            throw error
        } catch {
            throw QueueUnavailable(reason: "The spool can't be used: \(error).")
        }
    }

    private mutating func account(_ receipts: [Receipt]) {
        var touched: [Int: ActiveFile] = [:]
        for receipt in receipts {
            guard let file = taken[receipt.source] else { continue }
            file.outstanding[receipt.number] = nil
            touched[file.number] = file
        }
        for (_, file) in touched.sorted(by: { $0.key < $1.key }) where file.outstanding.isEmpty {
            taken[file.number] = nil
            if file === current {
                // Whoever awaits one of these messages learns of it now, not when the last one is done.
                try? files.touch(directory.path(of: .active))
            } else {
                // All is settled. A file that can't be removed now goes before the next message is received.
                try? finish(file)
            }
        }
    }

    /// Writes what a settlement leaves in the spool. The directory is not synced.
    ///
    /// - Returns: the place that has it; nil when nothing stays.
    mutating func write(
        _ settlement: Settlement, of line: ActiveFile.Line, in file: ActiveFile, at time: Timestamp
    ) throws -> SpoolPlace? {
        switch settlement {
        case .committed:
            return nil
        case .deferred(let message):
            try writeDeferred(message, due: message.notBefore ?? time)
            return .deferred
        case .dead(let failure, let reason, let attempts, let receiveCount):
            try writeLetter(
                file, line, class: failure, reason: reason, attempts: attempts, receiveCount: receiveCount,
                at: time)
            return .dead
        }
    }

    mutating func writeDeferred(_ message: Message, due: Timestamp) throws {
        let name = SpoolFileName.make(first: message.id, count: 1)
        try writeWhole([.bytes(try MessageLine.encode(message))], to: .deferred, name)
        deferred.insert(name, due: due, alone: message.attempts.last?.class == Attempt.crash)
    }

    /// Writes a file so that it is whole whenever its name is there. The directory is not synced.
    ///
    /// - Parameter workplace: where it is written before it is renamed; `place` itself if nil.
    func writeWhole(
        _ contents: [FileContent], to place: SpoolPlace, _ name: String, by workplace: SpoolPlace? = nil
    ) throws(SpoolError) {
        let unfinished = directory.path(workplace ?? place, ".\(name)")
        do {
            try write(contents, to: unfinished)
            try files.rename(unfinished, to: directory.path(place, name), replacing: true)
        } catch {
            try? files.remove(unfinished)
            throw error
        }
    }

    /// Writes and syncs a file; on a full disk with the space that is kept for it.
    func write(_ contents: [FileContent], to path: String) throws(SpoolError) {
        do {
            try files.write(contents, to: path, mode: 0o640)
        } catch {
            guard try reserve.release(after: error) else { throw error }
            try files.write(contents, to: path, mode: 0o640)
        }
    }

    private mutating func writeLetter(
        _ file: ActiveFile, _ line: ActiveFile.Line, class failure: FailureClass, reason: String,
        attempts: [Attempt], receiveCount: Int, at time: Timestamp
    ) throws {
        var letter = DeadLetterFile(
            id: line.id, class: failure, reason: reason, deadOn: time, receiveCount: receiveCount,
            userId: line.userID, apartmentId: line.apartmentID, attempts: attempts, fromFile: file.name,
            fromLine: line.number, bodySize: line.count, redriveCount: line.redriveCount)
        let wholeFile = line.offset == 0 && (line.number == 0 || line.count == file.size && line.isTooLong)
        if wholeFile {
            // A settlement is repeated when a later step of it failed.
            if !file.isSetAside { try setAside(file, &letter) }
            return
        }
        guard let source = file.file else { return }
        // One that is there already is written again: a sync that was to make it durable may have failed.
        try chooseID(for: &letter, source: source, offset: line.offset)
        let body = FileContent.part(of: source, offset: line.offset, count: line.count)
        try writeWhole(
            [.bytes(try letter.header(for: [body])), body], to: .dead, DeadLetterFile.name(letter.id))
        deadIDs.insert(letter.id)
    }

    /// Moves the whole file beside its letter. The letter comes first: a crash between leaves the file in
    /// `active/`, and the same is done again.
    private mutating func setAside(_ file: ActiveFile, _ letter: inout DeadLetterFile) throws {
        var salt = 1
        var bodyName = letter.bodyName
        while try files.status(of: directory.path(.dead, bodyName)) != nil {
            salt += 1
            letter.id = .derived(fileName: "\(file.name)#\(salt)", line: 0)
            bodyName = letter.bodyName
        }
        letter.bodyFile = bodyName
        try writeWhole([.bytes(try letter.header())], to: .dead, DeadLetterFile.name(letter.id))
        try files.syncDirectory(directory.path(of: .dead))
        try files.rename(
            directory.path(.active, file.name), to: directory.path(.dead, bodyName), replacing: false)
        file.isSetAside = true
        deadIDs.insert(letter.id)
    }

    /// Gives the letter an id that no other letter has; this very one may be there already.
    private func chooseID(for letter: inout DeadLetterFile, source: OpenFile, offset: Int) throws {
        var salt = 0
        while true {
            let path = directory.path(.dead, DeadLetterFile.name(letter.id))
            guard try files.status(of: path) != nil else { return }
            if let stored = try? StoredDeadLetter(path, files: files),
                stored.fields.bodySize == letter.bodySize
            {
                let there = try stored.body(limit: letter.bodySize, in: directory, files: files)
                if there == (try source.read(at: offset, count: letter.bodySize)) { return }
            }
            letter.id = .derived(
                fileName: salt == 0 ? letter.fromFile : "\(letter.fromFile)#\(salt)", line: letter.fromLine)
            salt += 1
        }
    }
}

extension ActiveFile.Line {
    var id: BookingID {
        switch content {
        case .success(let message): message.id
        case .failure(let poison): poison.id
        }
    }

    var userID: String? {
        switch content {
        case .success(let message): message.request.userID
        case .failure(let poison): poison.userID
        }
    }

    var apartmentID: String? {
        switch content {
        case .success(let message): message.request.apartmentID
        case .failure(let poison): poison.apartmentID
        }
    }

    /// Nil for never.
    var redriveCount: Int? {
        (try? content.get()).flatMap { $0.redriveCount > 0 ? $0.redriveCount : nil }
    }

    var isTooLong: Bool { count > LineReader.maximumLineBytes }
}
