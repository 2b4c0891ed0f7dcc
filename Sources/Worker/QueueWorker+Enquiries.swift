import Bookings
import Spool
import Varlink

extension QueueWorker {
    /// Counts and states for the operator.
    func attributes() throws(ErrorReply) -> QueueInterface.Attributes {
        let counts: QueueCounts
        do {
            try beStarted()
            counts = try consumer.counts()
        } catch {
            throw ErrorReply(QueueInterface.StorageUnavailable(reason: Self.reason(of: error)))
        }
        var totals = (committed: 0, deadLettered: 0)
        // Where hosts share the queue it is in the same database as the table.
        var trouble = tableOutage.reason ?? (servesOthers ? spoolOutage.reason : nil)
        do {
            totals = try table.totals()
        } catch {
            trouble = error.reason
        }
        return QueueInterface.Attributes(
            incoming: counts.incoming, active: counts.active, deferred: counts.deferred, dead: counts.dead,
            oldestSeconds: counts.oldest.map { max(0, Int(now().since($0).components.seconds)) },
            committedTotal: totals.committed, deadLetteredTotal: totals.deadLettered + uncounted,
            paused: pause != nil, pausedUntil: pause?.until, tableAvailable: trouble == nil,
            tableError: trouble)
    }

    /// A page of dead letters.
    func deadLetters(
        _ filter: DeadLetterFilter?, limit: Int?, after token: String?
    ) throws(ErrorReply) -> QueueInterface.DeadLetterList {
        let limit = try PageLimit.checked(limit)
        do {
            let page = try reader.letters(matching: filter, limit: limit, after: token)
            return .init(items: page.items, nextToken: page.nextToken)
        } catch is InvalidPageToken {
            throw ErrorReply(ServiceError.InvalidParameter(parameter: "nextToken"))
        } catch {
            throw ErrorReply(QueueInterface.StorageUnavailable(reason: Self.reason(of: error)))
        }
    }

    /// One dead letter.
    func deadLetter(_ id: String) throws(ErrorReply) -> DeadLetter {
        let letter: DeadLetter?
        do {
            letter = try BookingID(id).flatMap { try reader.letter($0) }
        } catch {
            throw ErrorReply(QueueInterface.StorageUnavailable(reason: Self.reason(of: error)))
        }
        guard let letter else { throw ErrorReply(QueueInterface.DeadLetterNotFound(id: id)) }
        return letter
    }

    /// Approves a booking.
    func approve(_ id: String, by peer: Peer) throws(ErrorReply) -> CaretakerInterface.Approved {
        let (booking, cancelled) = try decide(id, by: peer) { id, time throws(TableUnavailable) in
            try table.approve(id, at: time)
        }
        return .init(booking: booking, cancelled: cancelled)
    }

    /// Cancels a booking.
    func cancel(_ id: String, by peer: Peer) throws(ErrorReply) -> CaretakerInterface.Cancelled {
        let (booking, _) = try decide(id, by: peer) { id, time throws(TableUnavailable) in
            try table.cancel(id, at: time)
        }
        return .init(booking: booking)
    }

    private func decide(
        _ text: String, by peer: Peer, _ body: (BookingID, Timestamp) throws(TableUnavailable) -> Decision
    ) throws(ErrorReply) -> (Booking, [String]) {
        let notFound = ErrorReply(CaretakerInterface.BookingNotFound(id: text))
        guard let id = BookingID(text) else { throw notFound }
        var decision: Decision
        let progress: Progress?
        do {
            try beStarted()
            decision = try body(id, now())
            // What only the journal holds is not known before it was put back.
            if decision == .notFound, stage == .recovering { _ = step() }
            var found = decision == .notFound ? try consumer.progress(of: id) : nil
            // Another worker may have committed it between the two looks.
            for _ in 0..<3 where servesOthers && decision == .notFound && found == nil {
                decision = try body(id, now())
                if decision == .notFound { found = try consumer.progress(of: id) }
            }
            progress = found
        } catch {
            throw ErrorReply(CaretakerInterface.StorageUnavailable(reason: Self.reason(of: error)))
        }
        switch decision {
        case .decided(let booking, let cancelled):
            report.decided(booking, cancelled: cancelled, by: peer)
            return (booking, cancelled.map(\.id))
        case .wrongStatus(let status):
            throw ErrorReply(CaretakerInterface.WrongStatus(bookingStatus: status))
        case .notAvailable(let booking):
            throw ErrorReply(
                CaretakerInterface.ApartmentNotAvailable(
                    bookingId: booking.id, startDate: booking.startDate, endDate: booking.endDate))
        case .notFound:
            if progress == nil, stage != .serving {
                let reason = spoolOutage.reason ?? tableOutage.reason ?? "The queue is not known yet."
                throw ErrorReply(CaretakerInterface.StorageUnavailable(reason: reason))
            }
            guard let progress else { throw notFound }
            throw ErrorReply(CaretakerInterface.NotYetCommitted(id: text, progress: progress))
        }
    }
}
