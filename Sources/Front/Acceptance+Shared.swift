import Bookings
import Daemon
import Varlink

/// Accepting into a queue that hosts share. The queue judges, because others book meanwhile; what this host's own spool
/// holds, and has not forwarded yet, is judged here.
extension Acceptance {
    /// A call whose messages were on their way when the database failed: whether they are in the queue shows once it is
    /// back.
    struct Undecided {
        let submission: Submission
        let messages: [Message]
        /// What was known of messages before the queue was asked to take the others.
        let known: [BookingID: Outcome]
        let deadline: ContinuousClock.Instant
    }

    /// What became of a request.
    struct Outcome {
        let answer: Result<BookingID, Refusal>
        /// What is new in the queue.
        var accepted: Message?
    }

    func acceptShared(_ submissions: [Submission], into shared: any SharedBookingQueue) {
        retryUndecided(shared)
        guard !submissions.isEmpty else { return }
        let time = now()
        let calls = submissions.map { submission in
            submission.requests.enumerated().map { index, request in
                Message(
                    id: ids.next(at: time), acceptedOn: time, peer: submission.peer, request: request,
                    traceParent: submission.traces.isEmpty ? nil : submission.traces[index])
            }
        }
        var outcomes: [BookingID: Outcome] = [:]
        do {
            try look()
            let start = ContinuousClock.now
            let messages = Array(calls.joined())
            outcomes = try ownOutcomes(of: messages, in: shared)
            let asked = messages.filter { outcomes[$0.id] == nil }
            if !asked.isEmpty {
                let room = max(0, limits.maxMessages - sharedWaiting)
                let verdicts = try shared.accept(asked, again: false, room: room)
                for (message, verdict) in zip(asked, verdicts) {
                    outcomes[message.id] = outcome(of: message, verdict)
                }
                report.table(nil)
            }
            report.metrics.syncDuration.record(.now - start)
            answer(submissions, calls.map { $0.compactMap { outcomes[$0.id] } })
        } catch {
            report.table(TableUnavailable(.cannotOpen, reason: error.reason))
            if buffers { return buffer(submissions, calls, outcomes, mayBeThere: error.mayHaveHappened) }
            guard error.mayHaveHappened else { return refuse(submissions, error.reason) }
            undecided += zip(submissions, calls).map {
                Undecided(
                    submission: $0, messages: $1, known: outcomes, deadline: .now + undecidedPatience)
            }
            lookAgainSoon()
        }
    }

    /// What can be said of messages by what this host's spool holds, and the shared queue doesn't know yet.
    private func ownOutcomes(
        of messages: [Message], in shared: any SharedBookingQueue
    ) throws(QueueUnavailable) -> [BookingID: Outcome] {
        guard known.index.count > 0 else { return [:] }
        var outcomes: [BookingID: Outcome] = [:]
        for message in messages {
            outcomes[message.id] = ownAnswer(to: message.request).map { Outcome(answer: $0) }
        }
        // A key that the shared queue or the table has decides before all else.
        let keyed = messages.filter { outcomes[$0.id] != nil && $0.request.keyClaim != nil }
        guard !keyed.isEmpty else { return outcomes }
        for (message, objection) in zip(keyed, try shared.objections(to: keyed)) {
            if let objection, objection.isAboutKey {
                outcomes[message.id] = outcome(of: message, objection)
            }
        }
        return outcomes
    }

    /// What became of a message that the shared queue was asked about.
    private func outcome(of message: Message, _ verdict: SharedVerdict) -> Outcome {
        func refusal(_ error: some VarlinkError & Encodable) -> Outcome {
            Outcome(answer: .failure(ErrorReply(error)))
        }
        return switch verdict {
        case .accepted: Outcome(answer: .success(message.id), accepted: message)
        case .repeats(let id): Outcome(answer: .success(id))
        case .keyReused(let id):
            refusal(BookingsInterface.IdempotencyKeyReused(bookingId: id.description))
        case .pendingExists(let id, let progress):
            refusal(BookingsInterface.PendingBookingExists(bookingId: id.description, progress: progress))
        case .notAvailable(let id, let start, let end):
            refusal(
                BookingsInterface.ApartmentNotAvailable(
                    bookingId: id.description, startDate: start, endDate: end))
        case .idTaken:
            refusal(
                BookingsInterface.StorageUnavailable(
                    reason:
                        "The id \(message.id), made for the booking, belongs to another one. Call again."))
        case .full: Outcome(answer: .failure(full(at: message.acceptedOn)))
        }
    }

    private func full(at time: Timestamp) -> ErrorReply {
        var room = QueueRoom(
            limits: limits, messages: max(sharedWaiting, limits.maxMessages), bytes: 0, freeBytes: .max)
        return full(room.take(0) ?? "", size: 0, at: time)
    }

    /// What this host's spool says, which holds messages that the shared queue doesn't know yet.
    private func ownAnswer(to request: BookingRequest) -> Result<BookingID, Refusal>? {
        guard known.index.count > 0 else { return nil }
        if let first = request.keyClaim.flatMap(known.index.holder(ofKey:)) {
            let reused = BookingsInterface.IdempotencyKeyReused(bookingId: first.id.description)
            return first.isMade(from: request) ? .success(first.id) : .failure(ErrorReply(reused))
        }
        guard let holder = known.index.holders(of: request.claim).first else { return nil }
        let pending = BookingsInterface.PendingBookingExists(
            bookingId: holder.description, progress: known.index.entry(of: holder)?.progress ?? .queued)
        return .failure(ErrorReply(pending))
    }

    /// Asks again about messages that may be in the queue.
    private func retryUndecided(_ shared: any SharedBookingQueue) {
        guard !undecided.isEmpty else { return }
        let waiting = undecided
        undecided = []
        do {
            let asked = waiting.flatMap { call in call.messages.filter { call.known[$0.id] == nil } }
            var verdicts = try shared.accept(asked, again: true, room: .max).makeIterator()
            answer(
                waiting.map(\.submission),
                waiting.map { call in
                    call.messages.compactMap { message in
                        call.known[message.id] ?? verdicts.next().map { outcome(of: message, $0) }
                    }
                })
            report.table(nil)
        } catch {
            let reason = "\(Submission.doubt) \(error.reason)"
            let time = ContinuousClock.now
            undecided = waiting.filter { $0.deadline > time }
            refuse(waiting.filter { $0.deadline <= time }.map(\.submission), reason)
            if !undecided.isEmpty { lookAgainSoon() }
        }
    }

    private func lookAgainSoon() {
        Task { [wake] in
            try? await Task.sleep(for: .milliseconds(100))
            wake.yield()
        }
    }

    /// Accepts into this host's spool what the shared queue can't take now, under the ids that it may have there.
    ///
    /// - Parameters:
    ///   - known: what was known of some before the shared queue was asked to take the others.
    ///   - mayBeThere: whether it may have those others.
    private func buffer(
        _ submissions: [Submission], _ calls: [[Message]], _ known: [BookingID: Outcome], mayBeThere: Bool
    ) {
        accept(
            zip(submissions, calls).map { submission, messages in
                var submission = submission
                submission.ids = messages.map(\.id)
                if mayBeThere {
                    submission.undecided = Set(messages.indices.filter { known[messages[$0].id] == nil })
                }
                return submission
            })
    }

    /// Ends what is undecided: the daemon stops.
    func giveUpUndecided() {
        refuse(
            undecided.map(\.submission), "acms-frontd stops before it is known what became of the booking.")
        undecided = []
    }

    private func refuse(_ submissions: [Submission], _ reason: String) {
        let refusal = ErrorReply(BookingsInterface.StorageUnavailable(reason: reason))
        answer(submissions, submissions.map { $0.requests.map { _ in Outcome(answer: .failure(refusal)) } })
    }

    private func answer(_ submissions: [Submission], _ outcomes: [[Outcome]]) {
        guard !submissions.isEmpty else { return }
        let answers = outcomes.map { $0.map(\.answer) }
        var replies = ReplyBatch()
        for (submission, answers) in zip(submissions, answers) { submission.answer(answers, &replies) }
        let accepted = outcomes.joined().compactMap(\.accepted)
        sharedWaiting += accepted.count
        report.accepted(accepted, queued: sharedWaiting)
        let now = ContinuousClock.now
        replies.send()
        report.answered(submissions, answers, at: now)
        report.tell(accepted)
        // Callers first: they have waited.
        if !accepted.isEmpty { shared?.tellArrivals() }
    }

    /// Learns how much is in the shared queue.
    func note(_ counts: QueueCounts) {
        sharedCounts = counts
        sharedWaiting = counts.waiting
        if backpressure.since != nil, sharedWaiting < limits.maxMessages { hasRoom() }
        report.queued(sharedWaiting + known.index.count)
    }

    /// Wakes those who await one of these messages; all where it isn't known which.
    func changed(_ ids: [BookingID]?) { known.notify(ids) }
}

extension Acceptance.Submission {
    fileprivate static let doubt = """
        The database failed while the booking was made durable, and whether it was is not known. Ask again with an \
        idempotencyKey: then it is booked once.
        """

    /// The answers, but for refusals that are not certain.
    func admittingDoubt(_ answers: [Result<BookingID, Acceptance.Refusal>]) -> [Result<
        BookingID, Acceptance.Refusal
    >] {
        guard !undecided.isEmpty else { return answers }
        return answers.enumerated().map { number, answer in
            guard undecided.contains(number) else { return answer }
            return answer.mapError { _ in ErrorReply(BookingsInterface.StorageUnavailable(reason: Self.doubt))
            }
        }
    }
}
