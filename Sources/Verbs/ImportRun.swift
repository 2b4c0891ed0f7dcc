import Bookings
import Varlink

/// An import from the first line to the last: calls of many lines each, several of them under way at a time on one
/// connection, which answers them in order.
struct ImportRun {
    /// Calls under way: while one is made durable and the next is read, others must be there already.
    private static let window = 4
    /// How long to wait before each further try when acms can't store anything.
    private static let storagePauses: [Duration] = [
        .milliseconds(500), .seconds(1), .seconds(2), .seconds(4),
    ]

    private var source: BookingSource
    private let session: Session
    private var report: ImportReport
    private let ifLost: String
    private var underWay = Line<(batch: ImportBatch, reply: PendingReply?)>()
    private var underWayCount = 0
    /// Lines that acms had no room for, in their order.
    private var again: [ImportBatch] = []
    private var trouble: Trouble?
    /// How often in a row acms could not store anything.
    private var storageFailures = 0

    /// Why lines must be sent again.
    fileprivate enum Trouble {
        case queueFull(BookingsInterface.QueueFull)
        case storage(RemoteError)
    }

    /// - Parameter isRepeatable: Whether every line has a key.
    init(source: BookingSource, session: Session, report: ImportReport, isRepeatable: Bool) {
        self.source = source
        self.session = session
        self.report = report
        ifLost = isRepeatable ? Self.continues : Self.refuses
    }

    private static let continues = """
        Run the same command again: it goes on from here, and no line is booked twice.
        """
    private static let refuses = """
        Run the same command again: lines without a key that were accepted before are refused then, with their ids.
        """

    /// Imports all lines.
    mutating func finish() async throws(Failure) -> ImportSummary {
        do throws(Failure) {
            try await sendAll()
            while let trouble {
                try await pause(trouble)
                try await sendAgain()
                try await sendAll()
            }
            return try report.finish()
        } catch {
            report.stop()
            throw error
        }
    }

    /// Sends the file's lines until there are no more, or until acms takes no more.
    private mutating func sendAll() async throws(Failure) {
        while trouble == nil, let batch = try source.next() {
            try send(batch)
            if underWayCount == Self.window { try await settleOldest() }
        }
        try await settleAll()
    }

    /// Sends the lines again that acms had no room for. Those that find none again keep their order.
    private mutating func sendAgain() async throws(Failure) {
        let batches = again
        again = []
        trouble = nil
        for batch in batches { try send(batch) }
        try await settleAll()
    }

    private mutating func send(_ batch: ImportBatch) throws(Failure) {
        let reply: PendingReply? =
            batch.sentCount == 0
            ? nil
            : try session.send(
                BookingsInterface.method("CreateApartmentBookings"), encoded: batch.parameters, ifLost: ifLost
            )
        underWay.append((batch, reply))
        underWayCount += 1
    }

    private mutating func settleAll() async throws(Failure) {
        while underWayCount > 0 { try await settleOldest() }
    }

    private mutating func settleOldest() async throws(Failure) {
        guard let (batch, reply) = underWay.popFirst() else { return }
        underWayCount -= 1
        var results = try await results(of: batch, reply).makeIterator()
        var rest = ImportBatch()
        rest.offset = batch.offset
        for line in batch.lines {
            switch line.content {
            case .invalid(let invalid):
                try report.refused(line.number, Refusal(invalid), original: original(line, batch))
            case .input:
                guard let result = results.next() else { continue }
                if let id = result.id {
                    try report.accepted(line.number, id: id)
                } else if let trouble = Trouble(result) {
                    self.trouble = self.trouble?.graver(than: trouble) ?? trouble
                    rest.add(line, of: batch)
                } else {
                    try report.refused(line.number, Refusal(result), original: original(line, batch))
                }
            }
        }
        if rest.sentCount > 0 { again.append(rest) }
        if rest.sentCount < batch.sentCount { storageFailures = 0 }
        try report.progressed(to: batch.offset)
    }

    /// What became of the lines that were sent, in their order.
    private func results(
        of batch: ImportBatch, _ reply: PendingReply?
    ) async throws(Failure) -> [BookingsInterface.CreateResult] {
        guard let reply else { return [] }
        let answer: Result<BookingsInterface.CreatedMany, RemoteError> = try await session.answer(
            to: reply, ifLost: ifLost
        ) { BookingsInterface.CreatedMany(quickly: &$0) }
        switch answer {
        case .success(let created):
            guard created.results.count == batch.sentCount else {
                let reason = "it has \(created.results.count) results for \(batch.sentCount) bookings"
                throw .lost(.unreadable(reason), path: session.path, remedy: ifLost)
            }
            return created.results
        case .failure(let error):
            let result = BookingsInterface.CreateResult(error: error.name, parameters: error.parameters)
            guard Trouble(result) != nil else { throw .refused(error, session.service, about: nil) }
            return Array(repeating: result, count: batch.sentCount)
        }
    }

    private func original(_ line: ImportBatch.Line, _ batch: ImportBatch) -> [UInt8] {
        batch.text.withUnsafeBytes {
            source.decoder.original(UnsafeRawBufferPointer(rebasing: $0[line.text]))
        }
    }

    private mutating func pause(_ trouble: Trouble) async throws(Failure) {
        let count = again.reduce(0) { $0 + $1.sentCount }
        let length: Duration
        switch trouble {
        case .queueFull(let full):
            length = .seconds(min(max(full.retryAfterSeconds, 1), 60))
            report.note("The queue is full; \(count) lines are sent again in \(length.secondsText).")
        case .storage(let error):
            guard storageFailures < Self.storagePauses.count else {
                throw .importStopped(error, remedy: ifLost)
            }
            length = Self.storagePauses[storageFailures]
            storageFailures += 1
            report.note("The storage is unavailable; \(count) lines are sent again in \(length.secondsText).")
        }
        // Nothing cancels this task but the end of the program.
        try? await Task.sleep(for: length)
    }
}

extension ImportRun.Trouble {
    /// Nil when a line has this result for good.
    fileprivate init?(_ result: BookingsInterface.CreateResult) {
        guard let name = result.error else { return nil }
        let error = RemoteError(name: name, parameters: result.parameters)
        if let full = error.decode(BookingsInterface.QueueFull.self) {
            self = .queueFull(full)
        } else if error.decode(BookingsInterface.StorageUnavailable.self) != nil {
            self = .storage(error)
        } else {
            return nil
        }
    }

    /// This one, if it is worse; else the other.
    fileprivate func graver(than other: Self) -> Self {
        if case .storage = self { return self }
        return other
    }
}
