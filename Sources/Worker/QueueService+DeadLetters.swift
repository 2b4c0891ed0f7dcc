import Bookings
import Varlink

/// The methods that change dead letters. They go on in portions, so that the queue and other callers get their turn
/// between them.
extension QueueService {
    func redrive(
        _ parameters: QueueInterface.RedriveDeadLetters, _ call: CallContext,
        _ replies: ReplyStream<QueueInterface.Redriven>
    ) async throws(ErrorReply) -> QueueInterface.Redriven {
        if parameters.input != nil, parameters.ids?.count != 1 { throw Self.invalid("input") }
        if let rate = parameters.maxPerSecond, rate < 1 { throw Self.invalid("maxPerSecond") }
        var selection = try LetterSelection(parameters.ids, parameters.filter)
        var pace = RedrivePace(maxPerSecond: parameters.maxPerSecond)
        var reply = QueueInterface.Redriven(redriven: [], failed: selection.unreadable)
        var lastReply = ContinuousClock.now
        while let ids = try await selection.next(pace.portion, from: worker) {
            guard await pace.wait(for: ids.count) else { break }
            let done = await worker.redrive(
                ids, matching: parameters.filter, input: parameters.input,
                dryRun: parameters.dryRun ?? false, by: call.peer)
            reply.redriven += done.ids.map(\.description)
            reply.failed += done.failed
            // Often enough to show that it goes on, and never so much that a reply grows too long.
            let isDue = ContinuousClock.now - lastReply >= .seconds(1) || reply.redriven.count >= 1000
            if call.wantsMore, isDue, !selection.isAtEnd {
                await replies.send(reply)
                reply = QueueInterface.Redriven(redriven: [], failed: [])
                lastReply = ContinuousClock.now
            }
        }
        return reply
    }

    func delete(
        _ parameters: QueueInterface.DeleteDeadLetters, _ call: CallContext
    ) async throws(ErrorReply) -> QueueInterface.Deleted {
        var selection = try LetterSelection(parameters.ids, parameters.filter)
        var reply = QueueInterface.Deleted(deleted: [], failed: selection.unreadable)
        while !Task.isCancelled, let ids = try await selection.next(100, from: worker) {
            let done = await worker.delete(
                ids, matching: parameters.filter, dryRun: parameters.dryRun ?? false, by: call.peer)
            reply.deleted += done.ids.map(\.description)
            reply.failed += done.failed
        }
        return reply
    }

    fileprivate static func invalid(_ parameter: String) -> ErrorReply {
        ErrorReply(ServiceError.InvalidParameter(parameter: parameter))
    }
}

/// The letters that a caller named or described, portion by portion.
private struct LetterSelection {
    /// What no letter can be called.
    let unreadable: [QueueInterface.LetterFailure]
    private let filter: DeadLetterFilter?
    private var ids: [BookingID]
    private var last: BookingID?
    private(set) var isAtEnd: Bool

    /// - Throws: `InvalidParameter` when neither is given: nobody deletes all by leaving something out.
    init(_ texts: [String]?, _ filter: DeadLetterFilter?) throws(ErrorReply) {
        guard texts != nil || filter != nil else { throw QueueService.invalid("ids") }
        self.filter = texts == nil ? filter : nil
        var seen: Set<BookingID> = []
        let known = (texts ?? []).map { (text: $0, id: BookingID($0)) }
        ids = known.compactMap(\.id).filter { seen.insert($0).inserted }
        unreadable = known.filter { $0.id == nil }.map {
            .init(
                id: $0.text, error: QueueInterface.DeadLetterNotFound.errorName,
                reason: "No dead letter has this id.")
        }
        isAtEnd = texts != nil && ids.isEmpty
    }

    /// Up to `count` ids that have not come yet; nil after the last.
    mutating func next(_ count: Int, from worker: QueueWorker) async throws(ErrorReply) -> [BookingID]? {
        guard !isAtEnd else { return nil }
        if let filter, ids.isEmpty {
            // More than a portion at once, because the directory is listed each time.
            ids = try await worker.letterIDs(matching: filter, limit: 1000, after: last)
            last = ids.last
        }
        guard !ids.isEmpty else {
            isAtEnd = true
            return nil
        }
        let portion = Array(ids.prefix(count))
        ids.removeFirst(portion.count)
        isAtEnd = filter == nil && ids.isEmpty
        return portion
    }
}

/// Keeps a redrive from going faster than it may.
private struct RedrivePace {
    private let maxPerSecond: Int?
    private let start = ContinuousClock.now
    private var begun = 0

    init(maxPerSecond: Int?) {
        self.maxPerSecond = maxPerSecond
    }

    /// Letters that are redriven together: a tenth of a second's at most.
    var portion: Int { maxPerSecond.map { min(100, max(1, $0 / 10)) } ?? 100 }

    /// Waits until the next `count` may begin.
    ///
    /// - Returns: false when the caller is gone.
    mutating func wait(for count: Int) async -> Bool {
        defer { begun += count }
        guard let maxPerSecond else { return !Task.isCancelled }
        let due = start + .seconds(1) * (Double(begun) / Double(maxPerSecond))
        return (try? await Task.sleep(until: due, clock: .continuous)) != nil
    }
}
