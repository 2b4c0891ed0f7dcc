import Bookings
import Varlink

extension Acceptance {
    /// Judges every request; those that nothing stands against become messages of the group.
    func decide(_ submissions: [Submission], _ group: inout AcceptanceGroup) throws(StorageTrouble) {
        try refresh()
        var verdicts = try judge(submissions.flatMap(\.requests)).makeIterator()
        let time = now()
        var room: QueueRoom?
        for (number, submission) in submissions.enumerated() {
            for (index, request) in submission.requests.enumerated() {
                let verdict = verdicts.next() ?? .free
                // A key decides first: a repeated call gets its answer whatever has been booked since.
                if group.answerByKey(number, request) { continue }
                let outcome: Judgement
                if let byKey = judgement(byKeyOf: request, verdict) {
                    outcome = byKey
                } else {
                    if group.answerByClaim(number, request) { continue }
                    outcome = try judgement(of: request, verdict)
                }
                switch outcome {
                case .repeats(let id):
                    group.repeat(number, id)
                case .refused(let refusal):
                    group.refuse(number, refusal)
                case .free:
                    if let refusal = try full(&room, for: request, at: time) {
                        group.refuse(number, refusal)
                        continue
                    }
                    let id = submission.ids.isEmpty ? ids.next(at: time) : submission.ids[index]
                    group.accept(
                        number,
                        Message(
                            id: id, acceptedOn: time, peer: submission.peer, request: request,
                            traceParent: submission.traces.isEmpty ? nil : submission.traces[index]))
                }
            }
        }
        if let room, backpressure.isOver(room) { hasRoom() }
    }

    /// What a request's idempotency key says, in the table or in the queue. The queue was looked at first, so that
    /// what moves from it to the table meanwhile is seen in one of them.
    ///
    /// - Returns: nil when it has none, or a new one.
    private func judgement(byKeyOf request: BookingRequest, _ verdict: TableVerdict) -> Judgement? {
        // The table was read last, and what it holds under a key is what the key's first call was answered with: a
        // file put in by hand can't take the key over.
        if verdict.isAboutKey { return Judgement(verdict) }
        guard let first = request.keyClaim.flatMap(known.index.holder(ofKey:)) else { return nil }
        if first.isMade(from: request) { return .repeats(first.id) }
        return .refused(ErrorReply(BookingsInterface.IdempotencyKeyReused(bookingId: first.id.description)))
    }

    /// What else stands against a request: in the queue, then in the table.
    private func judgement(of request: BookingRequest, _ verdict: TableVerdict) throws(StorageTrouble)
        -> Judgement
    {
        var verdict = verdict
        var isStale = false
        for holder in known.index.holders(of: request.claim) {
            let isCommitted =
                try readTable { () throws(TableUnavailable) in try table.booking(holder) != nil } ?? false
            guard isCommitted else {
                let progress = known.index.entry(of: holder)?.progress ?? .queued
                let pending = BookingsInterface.PendingBookingExists(
                    bookingId: holder.description, progress: progress)
                return .refused(ErrorReply(pending))
            }
            isStale = true
        }
        // A holder that the table has by now may have been committed after the verdict was given.
        if isStale { verdict = try judge([request]).first ?? .free }
        return Judgement(verdict)
    }

    private func judge(_ requests: [BookingRequest]) throws(StorageTrouble) -> [TableVerdict] {
        try readTable { () throws(TableUnavailable) in try table.verdicts(on: requests) }
            ?? Array(repeating: .free, count: requests.count)
    }

    /// Reads the table. Nil when no worker has created it yet: then it holds nothing, and the queue tells all.
    private func readTable<Value>(_ body: () throws(TableUnavailable) -> Value) throws(StorageTrouble)
        -> Value?
    {
        do {
            let value = try body()
            // Beside a shared queue no table was asked: nothing was learned of it.
            if shared == nil { report.table(nil) }
            return value
        } catch {
            if error.kind == .missing { return nil }
            report.table(error)
            throw StorageTrouble(reason: error.reason)
        }
    }

    func room() throws(StorageTrouble) -> QueueRoom {
        do {
            return QueueRoom(
                limits: limits, messages: known.index.waitingMessages, bytes: known.index.waitingBytes,
                freeBytes: limits.minFreeBytes > 0 ? try producer.freeBytes() : .max)
        } catch {
            report.spoolWriting(error)
            throw StorageTrouble(reason: error.reason)
        }
    }

    func hasRoom() {
        backpressure.hasRoom()
        report.full(nil)
    }

    /// Why a request that nothing else stands against must wait; nil when there is room for it.
    private func full(
        _ room: inout QueueRoom?, for request: BookingRequest, at time: Timestamp
    ) throws(StorageTrouble) -> ErrorReply? {
        var left: QueueRoom
        if let room { left = room } else { left = try self.room() }
        let size = producer.maximumBytes(of: request)
        let reason = left.take(size)
        room = left
        return reason.map { full($0, size: size, at: time) }
    }

    /// A request has found no room.
    func full(_ reason: String, size: Int, at time: Timestamp) -> ErrorReply {
        backpressure.refused(at: time, size: size)
        report.full(reason)
        return ErrorReply(
            BookingsInterface.QueueFull(
                reason: reason, retryAfterSeconds: backpressure.retryAfterSeconds(at: time)))
    }
}

/// What is to become of a request.
private enum Judgement {
    case free
    /// An earlier call with the same key made this booking of it.
    case repeats(BookingID)
    case refused(ErrorReply)

    /// As far as the table tells.
    init(_ verdict: TableVerdict) {
        switch verdict {
        case .free:
            self = .free
        case .repeats(let id):
            let pending = BookingsInterface.PendingBookingExists(bookingId: id, progress: .committed)
            self = BookingID(id).map { .repeats($0) } ?? .refused(ErrorReply(pending))
        case .keyReused(let id):
            self = .refused(ErrorReply(BookingsInterface.IdempotencyKeyReused(bookingId: id)))
        case .pendingExists(let id):
            self = .refused(
                ErrorReply(BookingsInterface.PendingBookingExists(bookingId: id, progress: .committed)))
        case .notAvailable(let id, let startDate, let endDate):
            self = .refused(
                ErrorReply(
                    BookingsInterface.ApartmentNotAvailable(
                        bookingId: id, startDate: startDate, endDate: endDate)))
        }
    }
}

extension TableVerdict {
    /// Whether an idempotency key decides, whatever else stands against the request.
    fileprivate var isAboutKey: Bool {
        switch self {
        case .repeats, .keyReused: true
        case .free, .pendingExists, .notAvailable: false
        }
    }
}
