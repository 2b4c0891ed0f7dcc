public import Bookings
import Synchronization

/// Writes groups of messages into the spool. The accepting half of the embedded queue.
///
/// A group is one file of `incoming/`, written to `tmp/` and renamed, so that the worker sees it whole or not at
/// all. What makes it durable is one sync of the journal, before its file is made. A group that the journal can't
/// take is made durable by itself: its file is synced, renamed, and the directory synced.
public final class SpoolProducer: BookingQueueProducer {
    /// What was found when the spool was prepared: at the start, or when another was put in its place.
    public struct Leftovers: Hashable, Sendable {
        /// Unfinished files that were removed; none of them was answered.
        public var swept: [String] = []
        /// Messages whose files a power cut had taken, and that were put back.
        public var replayedMessages = 0
        /// Segments of the journal that can't be read in whole, and in how many places. They are kept beside it.
        public var damagedSegments: [String: Int] = [:]
    }

    private struct State {
        var lock: SpoolLock?
        /// Nil when it can't be had, or has failed.
        var journal: SpoolJournal?
        /// Of `tmp/`, when the journal was opened: the spool can be replaced.
        var identity: FileIdentity?
        var leftovers = Leftovers()
    }

    private let directory: SpoolDirectory
    private let files: any FileSystem
    private let committed: @Sendable ([BookingID]) -> Set<BookingID>
    private let state = Mutex(State())

    /// Writes into `directory`.
    ///
    /// - Parameter committed: which of these ids are in the table; none where it can't be read.
    public init(
        _ directory: SpoolDirectory, files: any FileSystem = LocalFileSystem(),
        committed: @escaping @Sendable ([BookingID]) -> Set<BookingID> = { _ in [] }
    ) {
        self.directory = directory
        self.files = files
        self.committed = committed
    }

    /// The name that the file of a group gets.
    public static func fileName(of group: [Message]) -> String? {
        group.first.map { SpoolFileName.make(first: $0.id, count: group.count) }
    }

    /// Makes the directories that are missing, replays the journal and removes what a crash left in `tmp/`. It is
    /// made up for at the first group, if it fails now.
    ///
    /// See ``takeLeftovers()`` for what was found.
    public func prepare() throws(QueueUnavailable) {
        try state.withLock { (state) throws(QueueUnavailable) in try prepare(&state) }
    }

    /// What was found since the last call.
    public func takeLeftovers() -> Leftovers {
        state.withLock { state in
            defer { state.leftovers = Leftovers() }
            return state.leftovers
        }
    }

    /// Ends in good order: nothing is replayed at the next start.
    public func finish() {
        state.withLock { state in
            do {
                try state.journal?.close()
            } catch {
                SpoolJournal.distrust(after: error, directory, files)
            }
            state = State()
        }
    }

    private func prepare(_ state: inout State) throws(QueueUnavailable) {
        do {
            let present = try files.status(of: directory.path(of: .tmp))?.identity
            if present != nil, present == state.identity { return }
            try directory.makeMissing(using: files)
            let identity = try files.status(of: directory.path(of: .tmp))?.identity
            state.identity = nil
            state.journal = nil
            state.lock = nil
            let lock = try SpoolLock.ofFront(directory)
            try sweep(&state.leftovers)
            state.journal = try openJournal(&state.leftovers)
            try lock.share(directory)
            state.lock = lock
            state.identity = identity
        } catch let error as SpoolError {
            throw QueueUnavailable(reason: "The spool can't take bookings. \(error)", kind: error.kind)
        } catch {
            throw QueueUnavailable(reason: "\(error)")
        }
    }

    private func sweep(_ leftovers: inout Leftovers) throws(SpoolError) {
        for name in try files.names(in: directory.path(of: .tmp)) where SpoolFileName.isUnfinished(name) {
            // A directory of such a name is nobody's unfinished file.
            if try files.status(of: directory.path(.tmp, name))?.kind == .directory { continue }
            try files.remove(directory.path(.tmp, name))
            leftovers.swept.append(name)
        }
    }

    private func openJournal(_ leftovers: inout Leftovers) throws -> SpoolJournal? {
        let contents = try JournalContents(directory, files: files)
        let replay = SpoolReplay(
            directory: directory, files: files, committed: committed, ownsActive: false)
        let outcome = try replay.run(contents)
        leftovers.replayedMessages += outcome.messages
        for segment in contents.damagedSegments {
            leftovers.damagedSegments[segment, default: 0] += contents.damage.count { $0.segment == segment }
            try setAside(segment)
        }
        do {
            let journal = try SpoolJournal(directory, files: files, after: contents.lastEpoch)
            try? files.remove(directory.path(.tmp, SpoolJournal.distrust))
            return journal
        } catch {
            // Without a journal, for which there may be no room, groups are synced one by one.
            SpoolJournal.distrust(after: error, directory, files)
            return nil
        }
    }

    /// Keeps a damaged segment: it is about to be written again.
    private func setAside(_ segment: String) throws(SpoolError) {
        let names = (1...SpoolJournal.keptSegments).map { SpoolJournal.damagedName(segment, $0) }
        for name in names where try files.status(of: directory.path(.tmp, name)) == nil {
            return try files.rename(
                directory.path(.tmp, segment), to: directory.path(.tmp, name), replacing: false)
        }
    }

    /// Makes a group durable.
    ///
    /// - Throws: when it could not; then the group is not in the queue, unless the worker was quicker to take
    ///   it than the failure to appear, in which case its messages are found like any others in the queue.
    ///
    /// - Returns: the bytes of its file.
    @discardableResult
    public func enqueue(_ group: [Message]) throws(QueueUnavailable) -> Int {
        guard let name = Self.fileName(of: group) else { return 0 }
        var lines: [UInt8] = []
        lines.reserveCapacity(group.count * 384)
        for message in group { try MessageLine.encode(message, into: &lines) }
        try state.withLock { (state) throws(QueueUnavailable) in
            try prepare(&state)
            do throws(SpoolError) {
                if let journal = state.journal, SpoolJournal.takes(lines.count) {
                    try enqueue(lines, as: name, &state, journal)
                } else {
                    try enqueue(lines, as: name)
                }
            } catch {
                throw QueueUnavailable(reason: "The spool can't take bookings. \(error)", kind: error.kind)
            }
        }
        return lines.count
    }

    private func enqueue(
        _ lines: [UInt8], as name: String, _ state: inout State, _ journal: SpoolJournal
    ) throws(SpoolError) {
        FaultPoint.reached("front.write")
        do throws(SpoolError) {
            try journal.append(name: name, lines)
        } catch {
            // It may be on the disk all the same.
            try? journal.withdraw()
            // What a failed sync left out is not written by another: this process has done with the journal.
            if error.isFailedSync || !error.meansFull { state.journal = nil }
            throw error
        }
        do throws(SpoolError) {
            try place(lines, as: name, synced: false)
        } catch {
            do {
                try journal.withdraw()
            } catch {
                state.journal = nil
            }
            throw error
        }
        FaultPoint.reached("front.answer")
    }

    private func enqueue(_ lines: [UInt8], as name: String) throws(SpoolError) {
        FaultPoint.reached("front.write")
        do throws(SpoolError) {
            try place(lines, as: name, synced: true)
            try files.syncDirectory(directory.path(of: .incoming))
        } catch {
            takeBack(name)
            throw error
        }
        FaultPoint.reached("front.answer")
    }

    private func place(_ lines: [UInt8], as name: String, synced: Bool) throws(SpoolError) {
        let unfinished = directory.path(.tmp, ".\(name)")
        do throws(SpoolError) {
            FaultPoint.reached("front.sync")
            // Written once: not even its owner changes it later.
            try files.write([.bytes(lines)], to: unfinished, mode: 0o440, synced: synced)
            FaultPoint.reached("front.rename")
            try files.rename(unfinished, to: directory.path(.incoming, name), replacing: true)
        } catch {
            takeBack(name)
            throw error
        }
    }

    /// Nothing refused may leave a trace. Taking it back through `tmp/` never shows the worker half of it.
    private func takeBack(_ name: String) {
        let unfinished = directory.path(.tmp, ".\(name)")
        try? files.rename(directory.path(.incoming, name), to: unfinished, replacing: false)
        try? files.remove(unfinished)
    }

    /// The bytes that a message for `request` takes at most.
    public func maximumBytes(of request: BookingRequest) -> Int { MessageLine.maximumBytes(of: request) }

    /// Bytes of the spool's file system that are free for those who aren't root.
    public func freeBytes() throws(QueueUnavailable) -> Int {
        do {
            return try files.freeBytes(in: directory.root)
        } catch {
            throw QueueUnavailable(reason: "The spool can't take bookings. \(error)", kind: error.kind)
        }
    }
}
