public import Bookings
import Glibc

/// The spool as one end of a move from one engine to another, while no daemon uses it.
public final class TransferSpool {
    let directory: SpoolDirectory
    let files: any FileSystem = LocalFileSystem()
    private var locks: [SpoolLock] = []
    /// What is moved of the places that wait, by place: what comes later isn't touched.
    var entries: [SpoolPlace: [EntryName]] = [:]
    var letterIDs: Set<BookingID> = []
    /// How many letters were made of what lay in the spool and is no booking.
    public private(set) var newLetters = 0
    /// What can't be moved as it is, and why.
    public internal(set) var conflicts: [TransferConflict] = []
    /// Letters whose bodies don't fit anywhere else: they stay in the spool as well.
    public internal(set) var kept: [String] = []

    var reader: SpoolReader { SpoolReader(directory, files: files) }

    /// Looks at a spool as it is.
    public init(reading directory: SpoolDirectory) throws(SpoolError) {
        self.directory = directory
        guard try files.status(of: directory.root) != nil else { return }
        try list()
    }

    /// Takes a spool for oneself until this object goes, and brings all that waits where it belongs: what a dead worker had
    /// in hand, what only the journal holds, and what can never be a booking, which becomes a dead letter.
    ///
    /// - Parameter committed: which of these ids are in the table.
    /// - Throws: ``SpoolLock/Taken`` when a daemon uses it, `SpoolError` or `QueueUnavailable` when it can't be used, or
    ///   what `committed` throws.
    public init(
        _ directory: SpoolDirectory, at time: Timestamp,
        committed: ([BookingID]) throws(TableUnavailable) -> Set<BookingID>
    ) throws {
        self.directory = directory
        try makeMissing()
        locks.append(try SpoolLock(directory))
        adopt()
        // It goes at once: whoever replays the journal takes it.
        _ = try SpoolLock.ofFront(directory)
        var consumer = SpoolConsumer(directory, files: files)
        try consumer.start(at: time)
        _ = try consumer.recover(upTo: 0, at: time, committed: committed) { .deferred($0) }
        locks.append(try SpoolLock.ofFront(directory))
        try settleJournal()
        try files.escapeNames(in: directory.path(of: .incoming))
        let before = consumer.deadIDs.count
        try judge(&consumer, at: time)
        newLetters = consumer.deadIDs.count - before
        adopt()
        try list()
    }

    /// Whether a daemon uses the spool, as far as locks tell that are there; which one, in a sentence.
    public static func user(of directory: SpoolDirectory) -> SpoolLock.Taken? {
        do {
            _ = try SpoolLock.ifThere(directory)
            _ = try SpoolLock.ofFrontIfThere(directory)
            return nil
        } catch {
            return error as? SpoolLock.Taken
        }
    }

    private func makeMissing() throws(SpoolError) {
        let isNew = try files.status(of: directory.root) == nil
        try directory.makeMissing(using: files)
        guard isNew, let slash = directory.root.lastIndex(of: "/") else { return }
        let parent = slash == directory.root.startIndex ? "/" : String(directory.root[..<slash])
        for path in [directory.root] + SpoolPlace.allCases.map(directory.path(of:)) {
            giveOwner(of: parent, to: path)
        }
    }

    private func list() throws(SpoolError) {
        for place in [SpoolPlace.deferred, .active, .incoming] {
            if try files.status(of: directory.path(of: place)) != nil {
                entries[place] = try reader.entries(in: place)
            }
        }
        if try files.status(of: directory.path(of: .dead)) != nil {
            letterIDs = Set(try DeadLetterStore(directory, files: files).ids())
        }
    }

    /// Ends the journal in good order, so that nothing of it is ever replayed: all that it holds was just put into files.
    private func settleJournal() throws(SpoolError) {
        guard try files.status(of: directory.path(.tmp, SpoolJournal.marker)) != nil else { return }
        let contents = try JournalContents(directory, files: files)
        for segment in contents.damagedSegments {
            let names = (1...SpoolJournal.keptSegments).map { SpoolJournal.damagedName(segment, $0) }
            for name in names where try files.status(of: directory.path(.tmp, name)) == nil {
                try files.rename(
                    directory.path(.tmp, segment), to: directory.path(.tmp, name), replacing: false)
                break
            }
        }
        try SpoolJournal(directory, files: files, after: contents.lastEpoch).close()
        try files.remove(directory.path(.tmp, SpoolJournal.distrust))
    }

    /// Makes letters of what waits and can never be a booking.
    private func judge(_ consumer: inout SpoolConsumer, at time: Timestamp) throws {
        for name in try reader.entries(in: .incoming).map(\.description) where try isOdd(name) {
            guard let file = try consumer.take(name, from: .incoming) else { continue }
            while let line = try file.next() {
                guard case .failure(let poison) = line.content else { continue }
                let attempt = Attempt(on: time, class: Attempt.poison, reason: poison.reason)
                let death = Settlement.dead(
                    .poison, reason: poison.reason, attempts: poison.attempts + [attempt],
                    receiveCount: poison.receiveCount + 1)
                _ = try consumer.write(death, of: line, in: file, at: time)
            }
            try files.syncDirectory(directory.path(of: .dead))
            if !file.isSetAside { _ = try consumer.putBack(name, to: .incoming) }
        }
        // What can't even be taken is told of.
        for notice in consumer.takeNotices() {
            guard case .stuck(let name, let reason) = notice else { continue }
            conflicts.append(TransferConflict(id: name, reason: "It can't be read or moved. \(reason)"))
        }
    }

    private func isOdd(_ name: String) throws(SpoolError) -> Bool {
        guard var messages = try reader.messages(in: .incoming, name) else { return true }
        var count = 0
        while try messages.next() != nil { count += 1 }
        return count == 0 || messages.unreadable > 0
    }

    // MARK: - Owners

    /// Gives to their owners what root has made: the files of a place to whom the place belongs, the others to the worker.
    func adopt() {
        guard geteuid() == 0 else { return }
        for place in SpoolPlace.allCases {
            let path = directory.path(of: place)
            guard let names = try? files.names(in: path) else { continue }
            for name in names { giveOwner(of: path, to: "\(path)/\(name)") }
        }
        for name in ["lock", "reserve", "paused"] { giveToWorker("\(directory.root)/\(name)") }
    }

    /// As the worker makes what lies beside the places: its user, and the group that the spool has.
    private func giveToWorker(_ path: String) {
        giveOwner(of: directory.path(of: .active), to: path)
        var status = stat()
        guard geteuid() == 0, lstat(directory.root, &status) == 0 else { return }
        _ = lchown(path, uid_t.max, status.st_gid)
    }

    /// Root writes in the name of those whose files they are; what others have made stays theirs.
    func giveOwner(of model: String, to path: String) {
        var (owner, status) = (stat(), stat())
        guard geteuid() == 0, lstat(model, &owner) == 0, lstat(path, &status) == 0, status.st_uid == 0,
            owner.st_uid != 0
        else { return }
        _ = lchown(path, owner.st_uid, owner.st_gid)
    }

    // MARK: - Pause

    /// The pause; nil when there is none.
    public func pause() throws(QueueUnavailable) -> QueuePause? {
        try SpoolConsumer(directory, files: files).pause()
    }

    /// Makes a pause last, or ends it.
    public func setPause(_ pause: QueuePause?) throws(QueueUnavailable) {
        try SpoolConsumer(directory, files: files).setPause(pause)
        giveToWorker("\(directory.root)/paused")
    }
}
