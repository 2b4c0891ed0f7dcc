public import Bookings

/// Reads what is in the spool without changing anything: the front's view of the queue.
public struct SpoolReader: Sendable {
    let directory: SpoolDirectory
    let files: any FileSystem

    /// Reads `directory`.
    public init(_ directory: SpoolDirectory, files: any FileSystem = LocalFileSystem()) {
        self.directory = directory
        self.files = files
    }

    /// The names of the entries of a place, in order; hidden ones are left out.
    public func names(in place: SpoolPlace) throws(SpoolError) -> [String] {
        try files.names(in: directory.path(of: place)).filter { !SpoolFileName.isHidden($0) }.sorted()
    }

    /// The same names in little memory.
    public func entries(in place: SpoolPlace) throws(SpoolError) -> [EntryName] {
        var names: [EntryName] = []
        try files.forEachName(in: directory.path(of: place)) { bytes in
            if let name = EntryName(validating: bytes), !name.isHidden { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether an entry is there now.
    public func exists(_ place: SpoolPlace, _ name: String) throws(SpoolError) -> Bool {
        try size(place, name) != nil
    }

    private func size(_ place: SpoolPlace, _ name: String) throws(SpoolError) -> Int? {
        try files.status(of: directory.path(place, name))?.size
    }

    /// Calls `body` with each valid message of an entry, in order, until it returns false. An odd entry has none.
    ///
    /// - Returns: the entry's length in bytes; nil when it isn't there.
    @discardableResult
    public func forEachMessage(
        in place: SpoolPlace, _ name: String, _ body: (Message) -> Bool
    ) throws(SpoolError) -> Int? {
        if place == .dead {
            if let message = try deadMessage(name) { _ = body(message) }
            return try size(place, name)
        }
        guard let file = try open(place, name) else { return try size(place, name) }
        var messages = EntryMessages(name, file)
        while let message = try messages.next(), body(message) {}
        return file.status.size
    }

    /// The valid messages of an entry that waits, to be read one by one; nil when it isn't there, or is odd.
    public func messages(in place: SpoolPlace, _ name: String) throws(SpoolError) -> EntryMessages? {
        try open(place, name).map { EntryMessages(name, $0) }
    }

    /// The message with this id in an entry; nil when the entry is gone or has none.
    public func message(_ id: BookingID, in place: SpoolPlace, _ name: String) throws(SpoolError) -> Message?
    {
        var found: Message?
        try forEachMessage(in: place, name) { message in
            if message.id == id { found = message }
            return found == nil
        }
        return found
    }

    /// Where a message waits, for who doesn't own the queue; nil when it is in none of its files.
    public func progress(of id: BookingID) throws(QueueUnavailable) -> Progress? {
        do {
            // In the order in which a message goes through them.
            for place in [SpoolPlace.incoming, .active, .deferred] {
                let entries = try names(in: place).map { (place, $0) }
                for (place, name) in Self.candidates(for: id, among: entries)
                where try message(id, in: place, name) != nil {
                    return place == .deferred ? .deferred : .queued
                }
            }
            return nil
        } catch {
            throw SpoolQueries.unreadable(error)
        }
    }

    /// The files that can hold a message: a group's name is its first one's id.
    static func candidates(
        for id: BookingID, among entries: [(SpoolPlace, String)]
    ) -> [(SpoolPlace, String)] {
        let numbered = entries.filter {
            SpoolFileName.count(in: $0.1) != nil && $0.1.prefix(36) <= id.description
        }
        return entries.filter { SpoolFileName.count(in: $0.1) == nil }
            + [numbered.max { $0.1 < $1.1 }].compactMap { $0 }
    }

    private func open(_ place: SpoolPlace, _ name: String) throws(SpoolError) -> OpenFile? {
        let path = directory.path(place, name)
        do {
            guard let status = try files.status(of: path), status.kind == .regular else { return nil }
            return try files.open(path)
        } catch {
            if error.concernsOnlyTheFile { return nil }
            throw error
        }
    }

    private func deadMessage(_ name: String) throws(SpoolError) -> Message? {
        guard DeadLetterFile.id(in: name) != nil, try open(.dead, name) != nil else { return nil }
        let letter = try StoredDeadLetter.read(directory.path(.dead, name), files: files)
        return try? letter?.message(in: directory, files: files).get()
    }
}
