import Bookings
import Systemd
import Testing

@testable import Verbs

@Suite struct BookingTraceTests {
    private static let start = Timestamp(milliseconds: 1_790_000_000_000)

    private func time(_ seconds: Int64) -> Timestamp { Self.start.advanced(by: .seconds(seconds)) }

    private func state(
        _ progress: Progress, _ status: BookingStatus = .pending, updated: Int64 = 0
    ) -> BookingsInterface.BookingState {
        var booking = Booking.sample(1, status: status)
        booking.createdOn = Self.start
        booking.updatedOn = time(updated)
        return .init(progress: progress, booking: booking)
    }

    private func trace(
        _ records: [JournalRecord], _ state: BookingsInterface.BookingState?, _ letter: DeadLetter? = nil
    ) -> BookingTrace {
        let story = JournalStory(records, of: JournalStoryTests.id, user: "alice")
        return BookingTrace(story, state: state, letter: letter)
    }

    private func letter(_ failure: FailureClass, dead: Int64, _ attempts: [(Int64, String, String)])
        -> DeadLetter
    {
        var letter = DeadLetter.sample(
            reason: "Failed at each of 2 receives; at the last: odd.",
            body:
                #"{"v":1,"input":{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}"#)
        letter.class = failure
        letter.receiveCount = attempts.count
        letter.deadOn = time(dead)
        letter.attempts = attempts.map { Attempt(on: time($0), class: $1, reason: $2) }
        return letter
    }

    @Test func `without a journal the table and the queue tell what they know`() {
        let pending = trace([], state(.committed))
        #expect(pending.steps.map(\.kind) == [.accepted])
        #expect(pending.steps.first?.source == .table)
        #expect(trace([], state(.queued)).steps.map(\.source) == [.queue])
        let approved = trace([], state(.committed, .approved, updated: 90))
        #expect(approved.steps.map(\.kind) == [.accepted, .approved])
        #expect(approved.delays == [nil, .seconds(90)])
        #expect(trace([], nil).steps.isEmpty)
    }

    @Test func `a letter tells of each try`() {
        let letter = letter(.exhausted, dead: 3, [(1, Attempt.failed, "odd."), (3, Attempt.failed, "odd.")])
        let trace = trace([], state(.deadLettered), letter)
        #expect(trace.steps.map(\.kind) == [.accepted, .failed, .deadLettered])
        #expect(trace.steps.map(\.source) == [.queue, .queue, .queue])
        #expect(
            trace.steps.last?.detail
                == "EXHAUSTED at receive 2: Failed at each of 2 receives; at the last: odd.")
        #expect(trace.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
    }

    @Test func `what the journal and the letter tell is one step`() {
        let records = [
            JournalStoryTests.record(.bookingsAccepted, at: 1500),
            JournalStoryTests.record(
                .deferred, "Deferred a booking until x after receive 1: odd.", at: 1_000_400),
            JournalStoryTests.record(.crashRecovered, at: 2_000_400),
            JournalStoryTests.record(
                .deadLettered, "Set a message aside as a dead letter: Failed at each; at the last: odd.",
                at: 3_000_400,
                ["ACMS_CLASS": ["EXHAUSTED"], "ACMS_RECEIVE_COUNT": ["3"]]),
        ]
        let letter = letter(
            .exhausted, dead: 3,
            [
                (1, Attempt.failed, "odd."), (2, Attempt.crash, "The worker died."),
                (3, Attempt.failed, "odd."),
            ])
        let trace = trace(records, state(.deadLettered), letter)
        #expect(trace.steps.map(\.kind) == [.accepted, .deferred, .crashed, .deadLettered])
        #expect(trace.steps.allSatisfy { $0.source == .journal })
        #expect(trace.steps.first?.detail == "durable in the queue, 1.5 ms after it came")
    }

    @Test func `tries that are older than the journal come from the letter`() {
        let records = [
            JournalStoryTests.record(
                .deferred, "Deferred a booking until x after receive 2: odd.", at: 600_000_400)
        ]
        let letter = letter(
            .exhausted, dead: 900,
            [(1, Attempt.failed, "odd."), (600, Attempt.failed, "odd."), (900, Attempt.failed, "odd.")])
        let trace = trace(records, state(.deadLettered), letter)
        #expect(trace.steps.map(\.kind) == [.accepted, .failed, .deferred, .deadLettered])
        #expect(trace.steps.map(\.source) == [.queue, .queue, .journal, .queue])
    }

    @Test func `steps of one instant are in the order of a life`() {
        let records = [
            JournalStoryTests.record(.batchCommitted), JournalStoryTests.record(.lettersRedriven),
            JournalStoryTests.record(.bookingsAccepted),
        ]
        #expect(trace(records, nil).steps.map(\.kind) == [.accepted, .redriven, .committed])
    }

    @Test func `a decision that the journal tells is not told twice`() {
        let records = [
            JournalStoryTests.record(.bookingsAccepted),
            JournalStoryTests.record(
                .pendingExpired, "Cancelled a booking that nobody had decided for 3 days.", at: 9_000_000),
        ]
        let trace = trace(records, state(.committed, .cancelled, updated: 9))
        #expect(trace.steps.map(\.kind) == [.accepted, .expired])
    }

    @Test(
        arguments: [
            (0, "0 µs"), (350, "350 µs"), (999, "999 µs"), (1000, "1.0 ms"), (8_249, "8.2 ms"),
            (999_999, "999.9 ms"),
            (1_000_000, "1.00 s"), (4_567_000, "4.56 s"), (59_999_999, "59.99 s"), (60_000_000, "1 min 0 s"),
            (3_599_999_999, "59 min 59 s"), (3_600_000_000, "1 h 0 min"), (86_399_999_999, "23 h 59 min"),
            (86_400_000_000, "1 d 0 h"), (31_536_000_000_000, "365 d 0 h"),
        ] as [(Int64, String)])
    func `a delay is in the unit that fits`(microseconds: Int64, text: String) {
        #expect(DelayText(.microseconds(microseconds)).text == text)
    }

    @Test func `a time of the journal has six digits`() {
        #expect("\(TraceTime(microseconds: 1_790_000_000_123_045))" == "2026-09-21T14:13:20.123045Z")
        #expect("\(TraceTime(Self.start))" == "2026-09-21T14:13:20.000000Z")
    }
}
