public import Bookings
import HeapModule

/// Takes messages out of the spool. The committing half of the embedded queue; whoever uses it holds the
/// ``SpoolLock``.
///
/// A file is taken by renaming it from `incoming/` (or `deferred/`, once it is due) to `active/`, so that what a
/// dead worker had in hand can be told from what it never touched. It is removed only when each of its messages
/// is durable elsewhere.
public struct SpoolConsumer: BookingQueueConsumer {
    let directory: SpoolDirectory
    let files: any FileSystem
    let letters: DeadLetterStore
    let reserve: SpoolReserve

    /// Names in `incoming/` that are still to be taken, last first.
    var waiting: [String] = []
    /// Entries of `active/` that a dead worker left and that can't go back to `incoming/`.
    var leftovers: [String] = []
    /// The file that is being read; the only one in `active/` between a settlement and the next `receive`.
    var current: ActiveFile?
    /// Files that have received lines which aren't settled yet, by number.
    var taken: [Int: ActiveFile] = [:]
    var nextNumber = 0
    /// Messages that wait for another try.
    var deferred = DeferredMessages()
    var deadIDs: Set<BookingID> = []
    /// Taken files that could not be removed yet, though all their messages are durable elsewhere.
    var removable: [String] = []
    /// Files that a dead worker had in hand and that were put back, until they are done.
    var suspects: Set<String> = []
    /// Entries of `incoming/` that can't be taken.
    var stuck: Set<String> = []
    /// Those of them that a notice was given for.
    var warned: Set<String> = []
    /// So many tries, with the worker's pauses between, take about half a minute.
    static let readTries = 12
    /// How often in a row reading a taken file failed.
    var readFailures: [String: Int] = [:]
    var notices: [QueueNotice] = []

    /// Serves `directory`; `start` must come before anything else.
    public init(_ directory: SpoolDirectory, files: any FileSystem = LocalFileSystem()) {
        self.directory = directory
        self.files = files
        letters = DeadLetterStore(directory, files: files)
        reserve = SpoolReserve(directory, files: files)
    }

    /// What was noticed since the last call.
    public mutating func takeNotices() -> [QueueNotice] {
        defer { notices = [] }
        return notices
    }

    /// When the next deferred message is due; nil when there is none.
    public var nextDue: Timestamp? { deferred.nextDue }

    /// Whether no message waits, is in hand or is deferred, as far as the last scan tells.
    public var isEmpty: Bool {
        leftovers.isEmpty && waiting.isEmpty && current == nil && taken.isEmpty && deferred.isEmpty
            && stuck.isEmpty
    }

    /// Whether nothing that was received is left in the spool.
    public var holdsNothing: Bool {
        leftovers.isEmpty && current == nil && taken.isEmpty && removable.isEmpty
    }

    /// Whether all that the last scan found was received.
    public var isExhausted: Bool { leftovers.isEmpty && waiting.isEmpty && current == nil }

    /// What a dead worker left is dealt with at the start, and there is no other worker.
    public var needsRecovery: Bool { false }

    /// What comes into `incoming/` is told.
    public var pollInterval: Duration? { nil }

    /// Whether a message that killed a worker may be among those that wait: few are to be taken at a time, so that
    /// it is found.
    public var isCautious: Bool { !suspects.isEmpty }

    /// Makes the space that is kept for a full disk, where it is missing and there is room.
    public func keepReserve() { reserve.keep() }

    /// Looks for what has come into `incoming/`; with `retryingStuck` also once more at what can't be taken.
    public mutating func scan(retryingStuck: Bool) throws(QueueUnavailable) {
        do {
            try files.escapeNames(in: directory.path(of: .incoming))
            let names = try files.names(in: directory.path(of: .incoming))
            warned.formIntersection(names)
            if retryingStuck { stuck = [] }
            stuck.formIntersection(names)
            if isCautious { suspects.formIntersection(names + (current.map { [$0.name] } ?? [])) }
            waiting = names.filter { !SpoolFileName.isHidden($0) && !stuck.contains($0) }.sorted(by: >)
        } catch {
            throw QueueUnavailable(error)
        }
    }

    /// Takes up to `limit` messages that are due, in order of arrival.
    public mutating func receive(upTo limit: Int, at time: Timestamp) throws(QueueUnavailable) -> [Received] {
        var batch: [Received] = []
        do {
            try removeRemovable()
            try fill(&batch, upTo: limit, at: time)
        } catch {
            // What is in the batch is in hand. Trouble that lasts shows at the next call.
            if batch.isEmpty { throw QueueUnavailable(error) }
        }
        return batch
    }

    private mutating func fill(
        _ batch: inout [Received], upTo limit: Int, at time: Timestamp
    ) throws(SpoolError) {
        // A file whose last line was settled in the last batch goes first: a message of it that was deferred
        // takes its name in active/ when it is due.
        if let file = current, file.isAtEnd, file.outstanding.isEmpty {
            current = nil
            try finish(file)
        }
        if let name = deferred.dueAlone(at: time) {
            // A message that may kill the worker is tried with nothing else in active/, so that a crash charges
            // nobody else. What is in hand is finished first.
            if current == nil {
                try receiveDeferred(name, into: &batch, alone: true, at: time)
            } else {
                try receiveLines(into: &batch, upTo: limit, mayTake: false, at: time)
            }
            if !batch.isEmpty { return }
        }
        // Old failures get at most half a batch while new messages wait: they must not hold them up.
        let share = waiting.isEmpty && current == nil ? limit : max(1, limit / 2)
        while batch.count < share, let name = deferred.takeDue(at: time) {
            try receiveDeferred(name, into: &batch, alone: false, at: time)
        }
        try receiveLines(into: &batch, upTo: limit, mayTake: true, at: time)
    }

    private mutating func receiveDeferred(
        _ name: String, into batch: inout [Received], alone: Bool, at time: Timestamp
    ) throws(SpoolError) {
        deferred.remove(name)
        do {
            guard let file = try take(name, from: .deferred) else {
                if try files.status(of: directory.path(.deferred, name)) != nil {
                    // It can't be taken now; it is not forgotten.
                    deferred.insert(name, due: time.advanced(by: .seconds(1)), alone: alone)
                }
                return
            }
            file.isDeferred = true
            file.isAlone = alone
            while let line = try nextLine(of: file) {
                batch.append(Received(receipt: line.receipt, content: line.content, alone: alone))
            }
            if file.outstanding.isEmpty { try finish(file) }
        } catch {
            try? files.rename(
                directory.path(.active, name), to: directory.path(.deferred, name), replacing: false)
            deferred.insert(name, due: time, alone: alone)
            throw error
        }
    }

    private mutating func receiveLines(
        into batch: inout [Received], upTo limit: Int, mayTake: Bool, at time: Timestamp
    ) throws(SpoolError) {
        while batch.count < limit {
            if current == nil {
                guard mayTake else { return }
                if let name = leftovers.last {
                    if let status = try files.status(of: directory.path(.active, name)) {
                        current = try opened(name, status)
                    }
                    leftovers.removeLast()
                } else if let name = waiting.popLast() {
                    current = try take(name, from: .incoming)
                } else {
                    return
                }
            }
            guard let file = current else { continue }
            if let line = try nextLine(of: file) {
                batch.append(line)
            } else {
                current = nil
                if file.outstanding.isEmpty { try finish(file) }
            }
        }
    }

    /// A line of a taken file as a received message; nil after the last.
    private mutating func nextLine(of file: ActiveFile) throws(SpoolError) -> Received? {
        while true {
            let read: ActiveFile.Line?
            do {
                read = try file.next()
            } catch {
                // A disk's hiccup is waited out; a file that can't be read for half a minute is set aside.
                readFailures[file.name, default: 0] += 1
                guard readFailures[file.name, default: 0] >= Self.readTries else { throw error }
                read = file.giveUp(reason: "The file can't be read. \(error)")
            }
            guard let read else { return nil }
            let received: ActiveFile.Line?
            do throws(SpoolError) {
                received = try withoutCopy(read, of: file)
            } catch {
                file.pushBack(read)
                throw error
            }
            guard let line = received else { continue }
            file.outstanding[line.number] = line
            taken[file.number] = file
            return Received(receipt: Receipt(source: file.number, number: line.number), content: line.content)
        }
    }

    /// Compares a line with a message of the same id that is deferred or dead.
    ///
    /// - Returns: the line to receive, as poison when its id belongs to another message; nil when it is a mere copy,
    ///   to be dropped.
    private mutating func withoutCopy(
        _ line: ActiveFile.Line, of file: ActiveFile
    ) throws(SpoolError) -> ActiveFile.Line? {
        guard case .success(let message) = line.content else { return line }
        let place: SpoolPlace
        let other: Message?
        if deferred.contains(message.id) {
            place = .deferred
            other = try storedMessage(place, SpoolFileName.make(first: message.id, count: 1))
        } else if deadIDs.contains(message.id) {
            guard try isDead(message) else {
                // Redriven, and the letter could not be removed then.
                try removeLetter(replacedBy: message)
                return line
            }
            place = .dead
            other = try SpoolReader(directory, files: files)
                .message(message.id, in: place, DeadLetterFile.name(message.id))
        } else {
            return line
        }
        guard let other else {
            // The letter is gone, or is not this booking but a piece of poison that names its id: the table's key
            // decides then, and nothing is dropped that isn't certain to be there.
            if place == .dead,
                try files.status(of: directory.path(.dead, DeadLetterFile.name(message.id))) == nil
            {
                deadIDs.remove(message.id)
            }
            return line
        }
        // What only bears the name of this message is none of it.
        guard other.id == message.id else { return line }
        guard other.request != message.request else {
            notices.append(.duplicate(message.id, progress: place == .dead ? .deadLettered : .deferred))
            return nil
        }
        let poison = Poison(
            id: .derived(fileName: file.name, line: line.number),
            reason: "The id \(message.id) belongs to another booking, which waits in \(place.rawValue)/.",
            userID: message.request.userID, apartmentID: message.request.apartmentID)
        return line.with(.failure(poison))
    }

    func storedMessage(_ place: SpoolPlace, _ name: String) throws(SpoolError) -> Message? {
        var lines = LineReader(try files.open(directory.path(place, name)))
        guard let bytes = try lines.next()?.bytes else { return nil }
        return try? MessageLine.decode(bytes, fileName: name, number: 1, arrival: Timestamp(milliseconds: 0))
            .get()
    }
}

extension QueueUnavailable {
    /// Trouble with the spool as trouble with the queue.
    init(_ error: SpoolError) {
        self.init(reason: "The spool can't be used. \(error)", kind: error.kind)
    }
}
