import Bookings
import Support
import Testing
import Varlink

@Suite struct IdempotencyTests {
    private func input(_ user: String, _ apartment: String = "A", key: String?) -> CreateBookingInput {
        CreateBookingInput(
            userId: user, apartmentId: apartment, startDate: "2026-01-01", endDate: "2026-01-05",
            idempotencyKey: key)
    }

    private func book(_ site: Site, _ input: CreateBookingInput) async throws -> String {
        try await site.bookings(
            "CreateApartmentBooking", BookingsInterface.Create(input: input),
            returning: BookingsInterface.Created.self
        ).id
    }

    private func reused(_ site: Site, _ input: CreateBookingInput) async throws -> String? {
        try await refusal { try await book(site, input) }?
            .decode(BookingsInterface.IdempotencyKeyReused.self)?.bookingId
    }

    @Test func aRepeatedCallGetsTheSameIdWhereverItsBookingIs() async throws {
        let site = try Site(["ACMS_WORKER_MAX_RECEIVE_COUNT": "1"])
        var front = try await site.startFront()
        let asked = input("u", key: "k")
        let id = try await book(site, asked)
        func check(_ place: String) async throws {
            #expect(try await book(site, asked) == id, "\(place)")
            #expect(try await reused(site, input("u", "B", key: "k")) == id, "\(place)")
            var longer = asked
            longer.endDate = "2026-01-06"
            #expect(try await reused(site, longer) == id, "\(place)")
        }
        func checkAlsoAfterARestart(_ place: String) async throws {
            try await check(place)
            await front.kill9()
            front = try await site.startFront()
            try await check("\(place), restarted")
        }
        try await checkAlsoAfterARestart("queued")
        let worker = try await site.startWorker()
        try await site.committed([id])
        try await site.drained()
        try await checkAlsoAfterARestart("committed")
        _ = try await site.approve(id)
        try await check("approved")
        try await curse(site)
        let cursed = input("v", "cursed", key: "k")
        let dead = try await book(site, cursed)
        #expect(try await site.settled(dead).progress == .deadLettered)
        #expect(try await book(site, cursed) == dead)
        await front.kill9()
        front = try await site.startFront()
        #expect(try await book(site, cursed) == dead)
        #expect(try await reused(site, input("v", "B", key: "k")) == dead)
        // A deleted letter frees its key.
        _ = try await site.delete(.init(ids: [dead]))
        #expect(try await book(site, cursed) != dead)
        #expect(try await site.list().count == 1)
        await front.stop()
        await worker.stop()
    }

    @Test func oneKeyInOneCallIsOneBooking() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let inputs = [
            input("u", key: "k"), input("u", key: "k"), input("u", "B", key: "k"), input("v", key: "k"),
            input("u", key: nil), input("u", key: "l"),
        ]
        let reply: BookingsInterface.CreatedMany = try await site.bookings(
            "CreateApartmentBookings", BookingsInterface.CreateMany(inputs: inputs))
        let results = reply.results
        #expect(results[0].id != nil)
        #expect(results[1].id == results[0].id)
        #expect(results[2].error == BookingsInterface.IdempotencyKeyReused.errorName)
        #expect(results[3].id != nil && results[3].id != results[0].id)
        #expect(results[4].error == BookingsInterface.PendingBookingExists.errorName)
        #expect(results[5].error == BookingsInterface.PendingBookingExists.errorName)
        let worker = try await site.startWorker()
        try await site.drained()
        #expect(
            Set(try await site.list().map(\.id)) == Set([results[0].id, results[3].id].compactMap { $0 }))
        await front.stop()
        await worker.stop()
    }

    @Test func manyCallsAtOnceWithOneKeyGetOneId() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        for round in 0..<10 {
            let asked = input("u\(round)", key: "k")
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<64 { group.addTask { try await book(site, asked) } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
        }
        try await site.drained()
        #expect(try await site.attributes().committedTotal == 10)
        #expect(try await site.attributes().deadLetteredTotal == 0)
        await front.stop()
        await worker.stop()
    }

    @Test func aBookingThatWasCancelledIsStillTheAnswerAndAnotherKeyIsAnotherBooking() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let asked = input("u", key: "k")
        let id = try await book(site, asked)
        try await site.committed([id])
        try await site.cancel(id)
        #expect(try await book(site, asked) == id)
        let second = try await book(site, input("u", key: "l"))
        #expect(second != id)
        // The first key still stands for the first booking, though the claim is another's now.
        #expect(try await book(site, asked) == id)
        let both: BookingsInterface.CreatedMany = try await site.bookings(
            "CreateApartmentBookings",
            BookingsInterface.CreateMany(inputs: [input("u", "B", key: "m"), asked]))
        #expect(both.results.map(\.error) == [nil, nil])
        #expect(both.results[1].id == id)
        await front.stop()
        await worker.stop()
    }
}
