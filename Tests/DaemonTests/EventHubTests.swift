import Bookings
import Testing

@testable import Daemon

@Suite struct EventHubTests {
    private let hub = EventHub()

    private func events(_ count: Int, user: String = "u") -> [BookingEvent] {
        (0..<count).map { BookingEvent(on: .now(), .accepted, id: "\($0)", userId: user, apartmentId: "a") }
    }

    @Test func `nothing is made for nobody`() throws {
        hub.publish {
            Issue.record("There is nobody to tell.")
            return []
        }
        let (number, _) = try #require(hub.add(EventFilter(), user: 1))
        hub.remove(number)
        hub.publish {
            Issue.record("There is nobody to tell any more.")
            return []
        }
    }

    @Test func `each gets what its filter lets through, in order`() throws {
        let (all, _) = try #require(hub.add(EventFilter(), user: 1))
        let (one, _) = try #require(hub.add(EventFilter(userId: "v", apartmentId: "a"), user: 1))
        let (none, _) = try #require(hub.add(EventFilter(userId: "v", apartmentId: "b"), user: 1))
        hub.publish { events(3) + events(2, user: "v") }
        #expect(hub.take(from: all).events.map(\.id) == ["0", "1", "2", "0", "1"])
        #expect(hub.take(from: one).events.map(\.userId) == ["v", "v"])
        #expect(hub.take(from: none) == EventsReply(events: [], missed: 0))
        #expect(hub.take(from: all).events.isEmpty)
    }

    @Test func `who is slow misses what comes when the room is full, and is told how much`() throws {
        let (number, _) = try #require(hub.add(EventFilter(), user: 1))
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

    @Test func `all watchers together hold a bounded number of events, each its share`() throws {
        let watchers = try (0..<16).map { try #require(hub.add(EventFilter(), user: $0 / 8)).number }
        hub.publish { events(EventHub.capacity) }
        for number in watchers {
            var held = 0
            var missed = 0
            while case let reply = hub.take(from: number), !reply.events.isEmpty || reply.missed > 0 {
                held += reply.events.count
                missed += reply.missed
            }
            #expect(held == EventHub.totalCapacity / 16)
            #expect(missed == EventHub.capacity - held)
        }
    }

    @Test func `nobody watches with too many, and one user doesn't keep others from it`() throws {
        let first = try (0..<EventHub.maximumWatchersPerUser).map { _ in
            try #require(hub.add(EventFilter(), user: 1)).number
        }
        #expect(hub.add(EventFilter(), user: 1) == nil)
        for _ in first { #expect(hub.add(EventFilter(), user: 2) != nil) }
        #expect(hub.add(EventFilter(), user: 3) == nil)
        hub.remove(first[0])
        #expect(hub.add(EventFilter(), user: 3) != nil)
    }

    @Test func `a hub that is finished ends all watching, also what begins later`() async throws {
        let (_, wakeUps) = try #require(hub.add(EventFilter(), user: 1))
        hub.finish()
        for await _ in wakeUps {}
        for await _ in try #require(hub.add(EventFilter(), user: 1)).wakeUps {}
    }
}
