import Bookings
import Glibc
import Synchronization

/// Events on their way to whoever prints them.
final class EventFeed: Sendable {
    /// Most events that wait for a reader that has stopped, such as a pager.
    private static let capacity = 50_000

    private let waiting = Mutex<(events: [BookingEvent], missed: Int)>(([], 0))
    /// Daemons that are neither watched nor known to be out of reach.
    private let undecided: Mutex<Set<Service>>
    private let wake: AsyncStream<Void>.Continuation
    /// An element for each time that something may wait.
    let wakeUps: AsyncStream<Void>

    init(_ services: [Service]) {
        undecided = Mutex(Set(services))
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Notes that a daemon is watched, or can't be.
    ///
    /// The last one makes it known that all is seen from now on that can be.
    func decide(_ service: Service, _ output: Output) {
        let isLast = undecided.withLock { $0.remove(service) != nil && $0.isEmpty }
        if isLast { output.note("Watching; ^C ends.") }
    }

    func add(_ reply: EventsReply) {
        guard !reply.events.isEmpty || reply.missed > 0 else { return }
        waiting.withLock { waiting in
            let fitting = reply.events.prefix(max(0, Self.capacity - waiting.events.count))
            waiting.events += fitting
            waiting.missed += reply.missed + reply.events.count - fitting.count
        }
        wake.yield()
    }

    func take() -> (events: [BookingEvent], missed: Int) {
        waiting.withLock { waiting in
            defer { waiting = ([], 0) }
            return waiting
        }
    }
}

/// Watches one daemon, and watches it again when it was restarted.
struct EventWatch: Sendable {
    /// How long to wait before a daemon that went away is looked for again, and for how long to look.
    private static let pause = Duration.milliseconds(500)
    private static let patience = Duration.seconds(60)

    let service: Service
    let path: String
    let filter: EventFilter
    let output: Output

    /// Hands events on until the task is cancelled.
    ///
    /// - Throws: when the daemon can't be watched, or doesn't come back.
    func run(into feed: EventFeed) async throws {
        var lostSince: ContinuousClock.Instant?
        while true {
            let isSeen = Mutex(false)
            do {
                try await watch(into: feed) { isSeen.withLock { $0 = true } }
            } catch Failure.lost where !Task.isCancelled {
                // It went away in the middle.
            } catch Failure.unreachable(let path, let errno, let service) {
                // It has not come back yet.
                guard let lostSince, errno != EACCES, ContinuousClock.now - lostSince < Self.patience else {
                    throw Failure.unreachable(path: path, errno: errno, service)
                }
            }
            if isSeen.withLock({ $0 }) || lostSince == nil {
                lostSince = .now
                output.note("\(service.daemonUnit) went away; watching for it to come back.")
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    private func watch(into feed: EventFeed, isSeen: @escaping @Sendable () -> Void) async throws {
        try await Session.with(service, at: path, timeout: nil, output) { session in
            _ = try await session.stream(
                "\(service.interface).WatchEvents", filter, into: (), ifLost: Session.repeatIt
            ) { (reply: EventsReply, _) in
                isSeen()
                feed.decide(service, output)
                feed.add(reply)
                return true
            }
        }
    }
}
