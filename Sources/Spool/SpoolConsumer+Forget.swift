import Bookings

/// What a letter was made from, to find it where it came from.
private struct LetterSource {
    let message: Message?
    let fromFile: String
    let fromLine: Int
    let size: Int
    let checksum: UInt32
}

extension SpoolConsumer {
    /// Takes letters' messages out of the files that they came in, as far as these still wait for their other
    /// messages: read again after a crash or an outage, they would bring back what an operator has deleted or
    /// replaced.
    ///
    /// Lines are made blank, not removed, because the numbers of the others give ids.
    mutating func forget(_ ids: [BookingID]) throws(SpoolError) {
        for place in [SpoolPlace.active, .incoming] {
            let names = try files.names(in: directory.path(of: place)).filter { !SpoolFileName.isHidden($0) }
            guard !names.isEmpty else { continue }
            let sources = try sources(of: ids)
            for name in candidates(names, for: ids) { try blank(sources, in: place, name) }
        }
        // A file that is gone must stay gone: what removed it, or moved it on, was not synced, as long as the letter
        // itself stood against its messages.
        for place in [SpoolPlace.incoming, .active, .deferred] {
            try files.syncDirectory(directory.path(of: place))
        }
    }

    /// The files that can hold one of the messages: of those that front daemons wrote, the one that begins with
    /// the greatest id up to the message's; of those put in by hand, any.
    private func candidates(_ names: [String], for ids: [BookingID]) -> Set<String> {
        var numbered: [(first: BookingID, name: String)] = []
        var candidates: Set<String> = []
        for name in names {
            if SpoolFileName.count(in: name) != nil, let first = BookingID(String(name.prefix(36))) {
                numbered.append((first, name))
            } else {
                candidates.insert(name)
            }
        }
        numbered.sort { $0.first < $1.first }
        for id in ids {
            let index = numbered.partitioningIndex { $0.first > id }
            if index > 0 { candidates.insert(numbered[index - 1].name) }
        }
        return candidates
    }

    private func sources(of ids: [BookingID]) throws(SpoolError) -> [BookingID: LetterSource] {
        var sources: [BookingID: LetterSource] = [:]
        for id in ids {
            let path = directory.path(.dead, DeadLetterFile.name(id))
            guard let letter = try StoredDeadLetter.read(path, files: files), letter.fields.bodyFile == nil,
                letter.fields.bodySize <= LineReader.maximumLineBytes
            else { continue }
            let body = try letter.body(limit: letter.fields.bodySize, in: directory, files: files)
            sources[id] = LetterSource(
                message: try? letter.message(in: directory, files: files).get(),
                fromFile: letter.fields.fromFile, fromLine: letter.fields.fromLine, size: body.count,
                checksum: CRC32C.checksum(body))
        }
        return sources
    }

    private func blank(
        _ sources: [BookingID: LetterSource], in place: SpoolPlace, _ name: String
    ) throws(SpoolError) {
        let path = directory.path(place, name)
        guard let status = try files.status(of: path), status.kind == .regular else { return }
        let file: OpenFile
        do {
            file = try files.open(path)
        } catch {
            if error.concernsOnlyTheFile { return }
            throw error
        }
        var lines = LineReader(file)
        var pieces: [FileContent] = []
        var kept = 0
        var hasOthers = false
        while let line = try lines.next() {
            guard let bytes = line.bytes, !line.isBlank else {
                hasOthers = hasOthers || !line.isBlank
                continue
            }
            guard isSource(sources, bytes, line.number, of: name) else {
                hasOthers = true
                continue
            }
            pieces.append(.part(of: file, offset: kept, count: line.offset - kept))
            pieces.append(.bytes([UInt8](repeating: UInt8(ascii: " "), count: line.count)))
            kept = line.offset + line.count
        }
        guard !pieces.isEmpty else { return }
        if hasOthers {
            pieces.append(.part(of: file, offset: kept, count: file.status.size - kept))
            try writeWhole(pieces, to: place, name, by: .active)
        } else {
            try files.remove(path)
        }
    }

    private func isSource(
        _ sources: [BookingID: LetterSource], _ bytes: [UInt8], _ number: Int, of name: String
    ) -> Bool {
        let decoded = MessageLine.decode(
            bytes, fileName: name, number: number, arrival: Timestamp(milliseconds: 0))
        // Another booking under the same id is none of the letter's.
        if case .success(let message) = decoded, let source = sources[message.id] {
            if source.message?.request == message.request { return true }
        }
        return sources.values.contains { source in
            source.fromLine == number && source.fromFile == name && source.size == bytes.count
                && source.checksum == CRC32C.checksum(bytes)
        }
    }
}

extension Array {
    /// The index of the first element for which `belongs` holds, in an array sorted by it.
    fileprivate func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
