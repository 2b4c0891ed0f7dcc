import Bookings
import Testing
import Varlink

@testable import Front
@testable import Worker

/// What becomes of requests that are in each other's way, or find no room.
extension ConformanceTests {
    @Test(arguments: Engine.allCases)
    func `of two in one call the first wins, and their neighbours are booked`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        let requests = try [
            ("u", "2026-12-01"), ("v", "2026-12-02"), ("u", "2026-12-03"), ("w", "2026-12-04"),
        ].map {
            try site.request($0.0, "A", $0.1, "2026-12-30")
        }
        let answers = await site.front.acceptance.answers(to: requests, from: site.peer)
        let first = try answers[0].get()
        guard case .failure(let reply) = answers[2] else { throw Contradiction(description: "\(answers)") }
        let refusal = try #require(reply.error as? BookingsInterface.PendingBookingExists)
        #expect(refusal.bookingId == first.description && refusal.progress == .queued)
        try await site.drain()
        #expect(try site.table.totals().committed == 3)
        #expect(try site.table.booking(first)?.startDate == "2026-12-01")
        _ = try (answers[1].get(), answers[3].get())
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `in one call each is judged by what came before it`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        let approved = try await site.book("v", "A", "2026-12-10", "2026-12-15")
        try await site.drain()
        _ = try await site.worker.worker.approve(approved.description, by: site.peer)
        // The first of each user is refused and holds nothing, so that the next one can be had.
        let requests = try [
            ("u", "A", "2026-12-12", nil), ("u", "A", "2026-12-20", nil), ("u", "A", "2026-12-12", nil),
            ("w", "A", "2026-12-12", "k"), ("w", "B", "2026-12-12", "k"), ("w", "B", "2026-12-13", nil),
            ("w", "A", "2026-12-12", "k"), ("w", "B", "2026-12-12", "l"), ("w", "C", "2026-12-12", "l"),
        ].map { try site.request($0.0, $0.1, $0.2, "2026-12-30", key: $0.3) }
        let answers = await site.front.acceptance.answers(to: requests, from: site.peer)
        func error<E: VarlinkError>(_ number: Int, _: E.Type) throws -> E {
            guard case .failure(let reply) = answers[number] else {
                throw Contradiction(description: "\(number): \(answers)")
            }
            return try #require(reply.error as? E, "\(number): \(answers)")
        }
        typealias Errors = BookingsInterface
        for number in [0, 3] {
            #expect(
                try error(number, Errors.ApartmentNotAvailable.self).bookingId == approved.description)
        }
        let ids = try [1, 4].map { try answers[$0].get().description }
        #expect(try error(2, Errors.PendingBookingExists.self).bookingId == ids[0])
        #expect(try error(5, Errors.PendingBookingExists.self).bookingId == ids[1])
        #expect(try error(6, Errors.IdempotencyKeyReused.self).bookingId == ids[1])
        // The one that comes after it decides nothing.
        #expect(try error(7, Errors.PendingBookingExists.self).bookingId == ids[1])
        _ = try answers[8].get()
        try await site.drain()
        #expect(try site.table.totals().committed == 4)
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `however long a chain of requests in one call is, each is judged by those before it`(
        _ engine: Engine
    ) async throws {
        let site = try await ConformanceSite(engine)
        let neighbour = try site.request("neighbour", "A0", "2026-12-01", "2026-12-02")
        // Each wants what the one before it wants, by turns the apartment and the key: every second one can be had.
        var requests = try (0..<600).map { number in
            try site.request(
                "u", "A\((number + 1) / 2)", "2026-12-01", "2026-12-02", key: "k\(number / 2)")
        }
        requests.append(neighbour)
        let answers = await site.front.acceptance.answers(to: requests, from: site.peer)
        var ids: [BookingID] = []
        for (number, answer) in answers.enumerated() {
            switch answer {
            case .success(let id):
                #expect(number % 2 == 0)
                ids.append(id)
            case .failure(let reply):
                let reused = try #require(reply.error as? BookingsInterface.IdempotencyKeyReused, "\(number)")
                #expect(number % 2 == 1 && reused.bookingId == ids.last?.description)
            }
        }
        #expect(ids.count == 301)
        try await site.drain()
        #expect(try site.table.totals().committed == 301)
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `a full queue still says what it knows`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        var limits = site.host.settings.spool
        limits.maxMessages = 3
        await site.front.acceptance.reconfigure(limits)
        func answers(_ requests: [(user: String, apartment: String, key: String?)]) async throws -> [String] {
            let requests = try requests.map {
                try site.request($0.user, $0.apartment, "2026-12-01", "2026-12-05", key: $0.key)
            }
            return await words(for: requests, at: site)
        }
        // What takes up no room is charged none.
        let first = try await answers([
            ("a", "A", "k"), ("a", "A", nil), ("a", "A", "k"), ("a", "B", "k"), ("b", "B", nil),
            ("b", "B", nil), ("c", "C", nil), ("d", "D", nil), ("c", "C", "l"),
        ])
        #expect(
            first == [
                first[0], "PendingBookingExists", first[0], "IdempotencyKeyReused", first[4],
                "PendingBookingExists", first[6], "QueueFull", "PendingBookingExists",
            ])
        #expect(Set([first[0], first[4], first[6]].compactMap { BookingID($0) }).count == 3)
        let second = try await answers([
            ("a", "A", "k"), ("a", "B", "k"), ("b", "B", nil), ("d", "D", nil), ("d", "D", nil),
        ])
        #expect(
            second == [first[0], "IdempotencyKeyReused", "PendingBookingExists", "QueueFull", "QueueFull"])
        try await site.drain()
        #expect(try site.table.totals().committed == 3)
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `near the limit each is judged by those before it as well`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        let approved = try await site.book("v", "A", "2026-12-10", "2026-12-15")
        try await site.drain()
        _ = try await site.worker.worker.approve(approved.description, by: site.peer)
        var limits = site.host.settings.spool
        limits.maxMessages = 3
        await site.front.acceptance.reconfigure(limits)
        func answers(_ requests: [BookingRequest]) async throws -> [String] {
            // What a front learns of a shared queue once a second.
            await site.front.acceptance.note(QueueCounts())
            let answers = await words(for: requests, at: site).map { BookingID($0) == nil ? $0 : "id" }
            try await site.drain()
            return answers
        }
        let taken = ("2026-12-12", "2026-12-14")
        #expect(
            try await answers([
                site.request("w", "A", "2026-12-20", "2026-12-22"), site.request("w", "A", taken.0, taken.1),
                site.request("x1", "A", "2027-12-20", "2027-12-22"),
                site.request("x2", "A", "2028-12-20", "2028-12-22"),
                site.request("x3", "A", "2029-12-20", "2029-12-22"),
                site.request("x3", "A", taken.0, taken.1),
            ]) == ["id", "PendingBookingExists", "id", "id", "QueueFull", "ApartmentNotAvailable"])
        let chain = try (0..<9).map {
            try site.request("y", "D\($0 / 2)", "2026-12-20", "2026-12-22", key: "c\(($0 + 1) / 2)")
        }
        #expect(
            try await answers(chain) == [
                "id", "PendingBookingExists", "id", "PendingBookingExists", "id", "PendingBookingExists",
                "QueueFull", "QueueFull", "QueueFull",
            ])
        #expect(try site.table.totals().committed == 7)
        await site.end()
    }

    /// For each request of a call its booking's id, or the name of its error.
    private func words(for requests: [BookingRequest], at site: ConformanceSite) async -> [String] {
        await site.front.acceptance.answers(to: requests, from: site.peer).map {
            switch $0 {
            case .success(let id): id.description
            case .failure(let reply): String(reply.name.split(separator: ".").last ?? "")
            }
        }
    }
}
