public import Bookings
import Synchronization
public import Varlink

/// Passes what happens on to those who watch. Costs nothing while nobody does.
///
/// Events wait in memory for a watcher who reads slowly, so many of them and no more: what doesn't fit is left out
/// and counted.
public final class EventHub: Sendable {
    /// Most watchers, and most of one user: each costs whoever accepts and commits a look at each event.
    public static let maximumWatchers = 64
    static let maximumWatchersPerUser = 32
    /// Most events that wait for all watchers together; each may have its share, and a quarter of it at most.
    static let totalCapacity = 32_768
    static let capacity = totalCapacity / 4
    /// Most events in one reply: more would keep other connections of the event loop waiting.
    static let portion = 500
    /// How long events are gathered after a reply, so that thousands in a second don't become as many replies.
    static let gathering = Duration.milliseconds(20)

    private struct Watcher {
        let filter: EventFilter
        let user: UInt32
        let wake: AsyncStream<Void>.Continuation
        var events: [BookingEvent] = []
        var missed = 0
    }

    private struct State {
        var watchers: [Int: Watcher] = [:]
        var nextNumber = 0
        var isFinished = false

        mutating func tell(_ number: Int, _ events: [BookingEvent]) {
            guard var watcher = watchers.removeValue(forKey: number) else { return }
            defer { watchers[number] = watcher }
            let wanted = events.filter(watcher.filter.matches)
            guard !wanted.isEmpty else { return }
            let share = EventHub.totalCapacity / max(4, watchers.count + 1)
            let room = share - watcher.events.count
            // Once something was left out, all is until the watcher has caught up: the count stands for one gap.
            let fitting = watcher.missed > 0 ? 0 : max(0, min(room, wanted.count))
            watcher.events += wanted.prefix(fitting)
            watcher.missed += wanted.count - fitting
            watcher.wake.yield()
        }
    }

    private let state = Mutex(State())
    private let watcherCount = Atomic(0)

    /// Nobody watches yet.
    public init() {}

    /// Tells those who watch.
    ///
    /// - Parameter make: the events; called only when somebody watches.
    public func publish(_ make: () -> [BookingEvent]) {
        guard watcherCount.load(ordering: .relaxed) > 0 else { return }
        let events = make()
        state.withLock { state in
            for number in Array(state.watchers.keys) { state.tell(number, events) }
        }
    }

    /// Ends all watching: the daemon stops.
    public func finish() {
        state.withLock { state in
            state.isFinished = true
            for watcher in state.watchers.values { watcher.wake.finish() }
        }
    }

    /// Sends what happens from now on, until the caller is gone or the hub is finished.
    ///
    /// - Returns: the last reply; nil when there are too many watchers.
    public func watch(
        _ filter: EventFilter, by peer: Peer, _ replies: ReplyStream<EventsReply>
    ) async -> EventsReply? {
        guard let (number, wakeUps) = add(filter, user: peer.uid) else { return nil }
        defer { remove(number) }
        guard await replies.send(EventsReply(events: [], missed: 0)) else { return take(from: number) }
        for await _ in wakeUps {
            while case let reply = take(from: number), !reply.events.isEmpty || reply.missed > 0 {
                guard await replies.send(reply) else { return take(from: number) }
            }
            try? await Task.sleep(for: Self.gathering)
        }
        var last = take(from: number)
        while last.events.count == Self.portion, await replies.send(last) { last = take(from: number) }
        return last
    }

    /// - Returns: nil when there are too many watchers.
    func add(_ filter: EventFilter, user: UInt32) -> (number: Int, wakeUps: AsyncStream<Void>)? {
        let (wakeUps, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number: Int? = state.withLock { state in
            guard state.watchers.count < Self.maximumWatchers,
                state.watchers.values.count(where: { $0.user == user }) < Self.maximumWatchersPerUser
            else { return nil }
            state.nextNumber += 1
            state.watchers[state.nextNumber] = Watcher(filter: filter, user: user, wake: wake)
            watcherCount.store(state.watchers.count, ordering: .relaxed)
            if state.isFinished { wake.finish() }
            return state.nextNumber
        }
        return number.map { ($0, wakeUps) }
    }

    func remove(_ number: Int) {
        state.withLock { state in
            state.watchers[number] = nil
            watcherCount.store(state.watchers.count, ordering: .relaxed)
        }
    }

    /// What waits for a watcher, up to a portion of it.
    func take(from number: Int) -> EventsReply {
        state.withLock { state in
            guard let watcher = state.watchers[number] else { return EventsReply(events: [], missed: 0) }
            let events = Array(watcher.events.prefix(Self.portion))
            let isLast = events.count == watcher.events.count
            state.watchers[number]?.events.removeFirst(events.count)
            // What was left out came after all that waits.
            guard isLast else { return EventsReply(events: events, missed: 0) }
            state.watchers[number]?.missed = 0
            return EventsReply(events: events, missed: watcher.missed)
        }
    }
}
