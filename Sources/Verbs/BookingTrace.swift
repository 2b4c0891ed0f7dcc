import Bookings
import Systemd

/// One booking's life, put together from what the journal, the table and the queue tell. Pure.
struct BookingTrace: Sendable {
    /// What happened, in the order of time.
    let steps: [TraceStep]
    let traceID: String?

    /// How long after a failure the log tells of it at most.
    private static let logDelay = Duration.seconds(60)

    /// - Parameters:
    ///   - state: where the booking is now; nil when that isn't known, or it is nowhere.
    ///   - letter: of a booking that is a dead letter.
    init(_ story: JournalStory, state: BookingsInterface.BookingState?, letter: DeadLetter?) {
        var steps = story.steps
        if let letter { Self.add(letter, to: &steps) }
        if let state { Self.add(state, to: &steps) }
        self.steps = steps.enumerated().sorted {
            ($0.element.on, $0.element.kind.order, $0.offset) < (
                $1.element.on, $1.element.kind.order, $1.offset
            )
        }.map(\.element)
        traceID = story.traceID ?? letter.flatMap { LetterDraft($0).traceParent?.traceID }
    }

    /// How long each step came after the one before it; nil for the first.
    var delays: [Duration?] {
        [nil] + zip(steps, steps.dropFirst()).map { $1.on.since($0.on) }
    }

    // MARK: - What the journal doesn't tell

    /// A letter knows each failed try. Those that the journal tells of too are one step with that.
    private static func add(_ letter: DeadLetter, to steps: inout [TraceStep]) {
        var told = Set<Int>()
        func find(_ time: Timestamp, where isSame: (TraceStep) -> Bool) -> Int? {
            steps.indices.first { index in
                let delay = steps[index].on.since(TraceTime(time))
                return !told.contains(index) && delay >= .milliseconds(-1) && delay <= logDelay
                    && isSame(steps[index])
            }
        }
        if find(letter.deadOn, where: { $0.kind == .deadLettered }) == nil {
            let detail = "\(letter.class.rawValue) at receive \(letter.receiveCount): \(letter.reason)"
            steps.append(
                TraceStep(
                    on: TraceTime(letter.deadOn), kind: .deadLettered, detail: detail, source: .queue))
        }
        for attempt in letter.attempts {
            // A reason that is cut in the letter is whole in the log, and its full stop may be elsewhere.
            let reason = String(
                attempt.reason.last.map { "….".contains($0) } ?? false
                    ? attempt.reason.dropLast() : attempt.reason[...])
            let index = find(attempt.on) { step in
                switch step.kind {
                case .crashed: attempt.class == Attempt.crash
                case .deferred, .deadLettered:
                    step.detail.contains(reason)
                        || attempt.class == Attempt.crash && step.kind == .deadLettered
                default: false
                }
            }
            if let index {
                told.insert(index)
            } else {
                let detail = "\(attempt.class): \(attempt.reason)"
                steps.append(
                    TraceStep(on: TraceTime(attempt.on), kind: .failed, detail: detail, source: .queue))
                told.insert(steps.count - 1)
            }
        }
    }

    /// The booking knows when it was accepted and when its status changed last.
    private static func add(_ state: BookingsInterface.BookingState, to steps: inout [TraceStep]) {
        let source = state.progress == .committed ? TraceStep.Source.table : .queue
        let booking = state.booking
        let created = TraceTime(booking.createdOn)
        if let index = steps.firstIndex(where: { $0.kind == .accepted }) {
            let delay = steps[index].on.since(created)
            if delay > .zero, delay <= logDelay {
                steps[index].detail += ", \(DelayText(delay).text) after it came"
            }
        } else {
            steps.append(
                TraceStep(
                    on: created, kind: .accepted, detail: "as the \(source.rawValue.lowercased()) has it",
                    source: source))
        }
        let kinds: Set<TraceStep.Kind>
        switch booking.bookingStatus {
        case .pending: return
        case .approved: kinds = [.approved]
        case .cancelled: kinds = [.cancelled, .expired]
        }
        guard let kind = kinds.min(by: { $0.order < $1.order }),
            !steps.contains(where: { kinds.contains($0.kind) })
        else { return }
        steps.append(
            TraceStep(
                on: TraceTime(booking.updatedOn), kind: kind, detail: "as the table has it", source: .table))
    }
}
