import Bookings
import Foundation
import Support
import Testing
import Varlink

/// Messages that fail by themselves, while others don't.
@Suite struct TriggerTests {
    private static let receives = 10

    private func books(_ site: Site, _ prefix: String, _ count: Int, _ apartment: String) async throws
        -> [String]
    {
        try await site.books((0..<count).map { "\(prefix)\($0)" }, apartment)
    }

    @Test func whatATriggerRefusesIsTriedTenTimesAndHoldsUpNobody() async throws {
        let site = try Site([
            "ACMS_WORKER_RETRY_INITIAL_SECONDS": "0.02", "ACMS_WORKER_RETRY_MAXIMUM_SECONDS": "5",
        ])
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let clock = ContinuousClock()
        let reference = try await clock.measure {
            try await site.committed(try await books(site, "reference", 1000, "other").suffix(1))
        }
        try await sqlite(
            site,
            """
            CREATE TRIGGER cursed BEFORE INSERT ON bookings WHEN NEW.apartmentId = 'cursed'
            BEGIN SELECT RAISE(ABORT, 'cursed'); END
            """)
        let cursed = try await books(site, "u", 20, "cursed")
        #expect(cursed.count == 20)
        // Between two tries it waits; while it is being tried it is QUEUED.
        try await eventually("a duplicate to be told of the deferred booking") {
            try await pending(site)?.progress == .deferred
        }
        var good: [String] = []
        let beside = try await clock.measure {
            good = try await books(site, "beside", 1000, "good")
            try await site.committed(good.suffix(1))
        }
        print("1,000 bookings beside failing ones took \(beside / reference) times what they take alone.")
        #expect(good.count == 1000)
        let items = try await site.list("good")
        #expect(Set(items.map(\.id)) == Set(good))

        try await eventually("the letters", within: .seconds(60)) {
            try await site.deadLetters().count == 20
        }
        let letters = try await site.deadLetters()
        #expect(Set(letters.map(\.id)) == Set(cursed))
        for letter in letters { check(letter) }
        #expect(try await pending(site)?.progress == .deadLettered)
        // Nobody else ever failed.
        let deferrals =
            try site.log(of: "acms-workerd").components(separatedBy: "Deferred a booking").count - 1
        #expect(deferrals == 20 * (Self.receives - 1))

        try await sqlite(site, "DROP TRIGGER cursed")
        let redriven = try await site.redrive(.init(filter: .init(apartmentId: "cursed")))
        #expect(Set(redriven.redriven) == Set(cursed))
        #expect(redriven.failed.isEmpty)
        for id in cursed { #expect(try await site.settled(id).progress == .committed) }
        #expect(Set(try await site.list("cursed").map(\.id)) == Set(cursed))
        #expect(try await site.deadLetters().isEmpty)
        await front.stop()
        await worker.stop()
    }

    private func pending(_ site: Site) async throws -> BookingsInterface.PendingBookingExists? {
        try await refusal { try await site.book("u0", "cursed") }?
            .decode(BookingsInterface.PendingBookingExists.self)
    }

    private func check(_ letter: DeadLetter) {
        #expect(letter.class == .exhausted)
        #expect(letter.receiveCount == Self.receives)
        #expect(letter.attempts.count == Self.receives)
        #expect(letter.attempts.allSatisfy { $0.reason.contains("cursed") && $0.class == Attempt.failed })
        #expect(letter.reason.contains("cursed"))
        // Each delay is twice the one before, less a fifth at most, up to the longest.
        for (number, (first, next)) in zip(letter.attempts, letter.attempts.dropFirst()).enumerated() {
            let shortest = min(0.02 * Double(1 << number), 5) * 0.8
            #expect(next.on.since(first.on) >= .seconds(shortest) - .milliseconds(1))
        }
    }
}
