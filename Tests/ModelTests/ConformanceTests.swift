import Bookings
import Synchronization
import Testing
import Varlink

@testable import Front
@testable import Worker

/// What users may rely on, whatever keeps queue and table: the same cases with the same results on each engine.
@Suite struct ConformanceTests {
    // MARK: - Accepting

    @Test(arguments: Engine.allCases)
    func `an accepted booking is committed as it was asked for`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        let trace = try #require(TraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
        let id = try await site.book("alice", "A-17", "2026-12-01", "2026-12-05", key: "k", trace: trace)
        let waiting = try #require(try site.waiting().first)
        #expect(waiting.id == id.description && waiting.place == .incoming && waiting.receiveCount == 0)
        #expect(waiting.traceparent == trace.description && waiting.idempotencyKey == "k")
        try await site.drain()
        let expected = Booking(
            id: id.description, userId: "alice", apartmentId: "A-17", startDate: "2026-12-01",
            endDate: "2026-12-05", bookingStatus: .pending, createdOn: site.start, updatedOn: site.start)
        #expect(try site.table.booking(id) == expected)
        #expect(try site.waiting().isEmpty)
        #expect(try site.table.totals() == (1, 0))
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `identifiers and dates keep each byte`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        // Equal for Swift, and not for whoever wrote them.
        let names = [
            "e\u{301}", "\u{e9}", #"a"b\c{d},e"#, "NULL", "null", "\\N", " lead",
            "'; DROP TABLE bookings; --", "日本語",
            "🏠", String(repeating: "x", count: 256), "$1", "%s", "a\u{2028}b",
        ]
        var ids: [BookingID] = []
        for name in names {
            ids.append(try await site.book(name, name, "0001-01-01", "9999-12-31", key: name))
        }
        try await site.drain()
        for (name, id) in zip(names, ids) {
            let booking = try #require(try site.table.booking(id))
            #expect(
                booking.userId.utf8.elementsEqual(name.utf8)
                    && booking.apartmentId.utf8.elementsEqual(name.utf8))
            #expect(booking.startDate == "0001-01-01" && booking.endDate == "9999-12-31")
            let page = try site.table.bookings(of: .user(name), status: nil, limit: 10, after: nil)
            #expect(page.items.map(\.id) == [id.description])
        }
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `a second undecided booking is refused wherever the first one is`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        func refusal() async throws -> Progress? {
            let refused = try await site.refusal("alice", "A", "2027-05-01", "2027-05-02")
            let error = try #require(refused as? BookingsInterface.PendingBookingExists)
            return error.progress
        }
        let id = try await site.book("alice", "A", "2026-12-01", "2026-12-05")
        #expect(try await refusal() == .queued)
        site.curse("A")
        await site.step()
        #expect(try await refusal() == .deferred)
        try await site.exhaust()
        #expect(try await refusal() == .deadLettered)
        site.curse(nil)
        _ = await site.worker.worker.redrive([id], matching: nil, input: nil, dryRun: false, by: site.peer)
        #expect(try await refusal() == .queued)
        try await site.drain()
        #expect(try await refusal() == .committed)
        _ = try await site.worker.worker.cancel(id.description, by: site.peer)
        _ = try await site.book("alice", "A", "2027-05-01", "2027-05-02")
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `the same key gets the same answer, and another request with it none`(_ engine: Engine) async throws
    {
        let site = try await ConformanceSite(engine)
        let request = try site.request("u", "A", "2026-12-01", "2026-12-05", key: "order")
        let other = try site.request("u", "B", "2026-12-01", "2026-12-05", key: "order")
        func check() async throws {
            let answers = await site.front.acceptance.answers(to: [request, other], from: site.peer)
            #expect(try answers[0].get() == id)
            guard case .failure(let reply) = answers[1] else {
                throw Contradiction(description: "\(answers)")
            }
            let reused = try #require(reply.error as? BookingsInterface.IdempotencyKeyReused)
            #expect(reused.bookingId == id.description)
        }
        // In one call first, where the first of them decides.
        let answers = await site.front.acceptance.answers(to: [request, request, other], from: site.peer)
        let id = try answers[0].get()
        #expect(try answers[1].get() == id)
        guard case .failure(let reply) = answers[2] else { throw Contradiction(description: "\(answers)") }
        #expect(reply.error is BookingsInterface.IdempotencyKeyReused)
        try await check()
        try await site.drain()
        try await check()
        // Whatever has become of the booking since.
        _ = try await site.worker.worker.cancel(id.description, by: site.peer)
        try await check()
        // Another user's key is another key.
        _ = try await site.book("v", "A", "2026-12-01", "2026-12-05", key: "order")
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `approved nights are taken, and the day of departure is free`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        let id = try await site.book("u", "A", "2026-12-10", "2026-12-15")
        try await site.drain()
        _ = try await site.worker.worker.approve(id.description, by: site.peer)
        for (start, end) in [
            ("2026-12-14", "2026-12-20"), ("2026-12-01", "2026-12-11"), ("2026-12-11", "2026-12-12"),
        ] {
            let refused = try await site.refusal("v", "A", start, end)
            let error = try #require(refused as? BookingsInterface.ApartmentNotAvailable)
            #expect(
                error.bookingId == id.description && error.startDate == "2026-12-10"
                    && error.endDate == "2026-12-15")
        }
        _ = try await site.book("v", "A", "2026-12-15", "2026-12-20")
        _ = try await site.book("w", "A", "2026-12-05", "2026-12-10")
        _ = try await site.book("x", "B", "2026-12-10", "2026-12-15")
        try await site.drain()
        #expect(try site.table.totals().committed == 4)
        await site.end()
    }

    // MARK: - Committing

    @Test(arguments: Engine.allCases)
    func `a message that fails is tried again and ends as a dead letter with every attempt`(
        _ engine: Engine
    ) async throws {
        let site = try await ConformanceSite(engine)
        site.curse("bad")
        let bad = try await site.book("u", "bad", "2026-12-01", "2026-12-05", key: "k")
        let good = try await site.book("u", "good", "2026-12-01", "2026-12-05")
        await site.step()
        #expect(try site.table.booking(good) != nil, "its neighbour is committed in the same batch")
        let waiting = try #require(try site.waiting().first)
        #expect(waiting.place == .deferred && waiting.receiveCount == 1 && waiting.attempts.count == 1)
        let due = try #require(waiting.notBefore).since(site.start)
        #expect(due >= .milliseconds(800) && due <= .milliseconds(1200))
        try await site.exhaust()
        let letter = try #require(try site.reader.letter(bad))
        #expect(letter.class == .exhausted && letter.receiveCount == 3 && letter.attempts.count == 3)
        #expect(letter.attempts.allSatisfy { $0.class == Attempt.failed && $0.reason == "cursed" })
        #expect(letter.userId == "u" && letter.apartmentId == "bad" && letter.redriveCount == nil)
        #expect(letter.body.contains(#""userId":"u""#) && letter.body.contains(bad.description))
        #expect(try site.table.totals() == (1, 1))
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `a table that is out charges nobody`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        site.worker.table.faults.withLock { $0.isOut = true }
        _ = try await site.book("u", "A", "2026-12-01", "2026-12-05")
        for _ in 0..<20 {
            await site.step()
            site.pass(.seconds(10))
        }
        let waiting = try #require(try site.waiting().first)
        #expect(waiting.receiveCount == 0 && waiting.attempts.isEmpty)
        #expect(try await site.worker.worker.attributes().tableAvailable == false)
        site.worker.table.faults.withLock { $0.isOut = false }
        try await site.drain()
        #expect(try site.table.totals() == (1, 0))
        #expect(try await site.worker.worker.attributes().tableAvailable)
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `a message that was in hand when its worker died is charged and tried alone`(_ engine: Engine)
        async throws
    {
        let site = try await ConformanceSite(engine)
        var ids: [BookingID] = []
        for number in 0..<12 {
            ids.append(try await site.book("u\(number)", "A", "2026-12-01", "2026-12-05"))
        }
        // The commit is the second thing that it does with what it has received.
        site.killInHand()
        await site.step()
        site.replaceWorker()
        site.pass(.seconds(60))
        try await site.drain()
        #expect(try site.table.committed(among: ids).count == 12)
        #expect(try site.table.totals() == (12, 0))
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `a message that kills each worker ends as a dead letter, and its neighbours are committed`(
        _ engine: Engine
    ) async throws {
        let site = try await ConformanceSite(engine)
        var ids: [BookingID] = []
        for number in 0..<5 {
            ids.append(
                try await site.book("u\(number)", number == 2 ? "deadly" : "A", "2026-12-01", "2026-12-05"))
        }
        for _ in 0..<100 where try site.reader.letter(ids[2]) == nil {
            site.worker.table.faults.withLock { $0.deadly = ["deadly"] }
            await site.step()
            if site.worker.crash.isCrashed {
                site.replaceWorker()
                site.pass(.seconds(60))
            } else {
                site.pass(.seconds(1))
            }
        }
        let letter = try #require(try site.reader.letter(ids[2]))
        #expect(letter.class == .crash && letter.attempts.allSatisfy { $0.class == Attempt.crash })
        site.worker.table.faults.withLock { $0.deadly = [] }
        try await site.drain()
        #expect(try site.table.committed(among: ids) == Set(ids).subtracting([ids[2]]))
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `messages are committed in the order of their arrival`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        var ids: [String] = []
        for number in 0..<25 {
            ids.append(
                try await site.book("u\((number * 7) % 25)", "A", "2026-12-01", "2026-12-05").description)
            site.pass(.milliseconds(1))
        }
        var committed: [String] = []
        for _ in 0..<10 {
            await site.step()
            let known = Set(
                try site.table.committed(among: ids.compactMap { BookingID($0) }).map(\.description))
            committed = ids.filter(known.contains)
            #expect(
                committed == Array(ids.prefix(committed.count)),
                "a later one was committed before an earlier one")
        }
        #expect(committed.count == 25)
        await site.end()
    }
}
