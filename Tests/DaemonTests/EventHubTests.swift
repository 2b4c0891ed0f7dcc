import Bookings
import Testing

@testable import Daemon

@Suite struct EventHubTests {
    private let hub = EventHub()

    private func events(_ count: Int, user: String = "u") -> [BookingEvent] {
        (0..<count).map { BookingEvent(on: .now(), .accepted, id: "\($0)", userId: user, apartmentId: "a") }
    }

    @Test func `nothing is made for nobody`() {
        hub.publish {
            Issue.record("There is nobody to tell.")
            return []
        }
        let (number, _) = hub.add(EventFilter())
        hub.remove(number)
        hub.publish {
            Issue.record("There is nobody to tell any more.")
            return []
        }
    }

    @Test func `each gets what its filter lets through, in order`() {
        let (all, _) = hub.add(EventFilter())
        let (one, _) = hub.add(EventFilter(userId: "v", apartmentId: "a"))
        let (none, _) = hub.add(EventFilter(userId: "v", apartmentId: "b"))
        hub.publish { events(3) + events(2, user: "v") }
        #expect(hub.take(from: all).events.map(\.id) == ["0", "1", "2", "0", "1"])
        #expect(hub.take(from: one).events.map(\.userId) == ["v", "v"])
        #expect(hub.take(from: none) == EventsReply(events: [], missed: 0))
        #expect(hub.take(from: all).events.isEmpty)
    }

    @Test func `who is slow misses what comes when the room is full, and is told how much`() {
        let (number, _) = hub.add(EventFilter())
        hub.publish { events(EventHub.capacity + 5) }
        hub.publish { events(2) }
        var taken = 0
        while case let reply = hub.take(from: number), !reply.events.isEmpty {
            #expect(reply.events.count <= EventHub.portion)
            taken += reply.events.count
            // The gap is told of where it is: behind all that waited.
            #expect(reply.missed == (taken == EventHub.capacity ? 7 : 0))
        }
        #expect(taken == EventHub.capacity)
        hub.publish { events(1) }
        let next = hub.take(from: number)
        #expect(next.events.count == 1 && next.missed == 0)
    }

    @Test func `all watchers together hold a bounded number of events`() {
        let watchers = (0..<10).map { _ in hub.add(EventFilter()).number }
        hub.publish { events(EventHub.capacity) }
        var held = 0
        var missed = 0
        for number in watchers {
            while case let reply = hub.take(from: number), !reply.events.isEmpty || reply.missed > 0 {
                held += reply.events.count
                missed += reply.missed
            }
        }
        #expect(held == EventHub.totalCapacity)
        #expect(missed == 10 * EventHub.capacity - EventHub.totalCapacity)
        for number in watchers { hub.remove(number) }
        let (number, _) = hub.add(EventFilter())
        hub.publish { events(3) }
        #expect(hub.take(from: number).events.count == 3)
    }

    @Test func `a hub that is finished ends all watching, also what begins later`() async {
        let (_, wakeUps) = hub.add(EventFilter())
        hub.finish()
        for await _ in wakeUps {}
        for await _ in hub.add(EventFilter()).wakeUps {}
    }
}
