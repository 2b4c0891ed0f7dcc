import Bookings
import Synchronization
import Testing
import Varlink

@testable import Front
@testable import Worker

extension ConformanceTests {
    // MARK: - Dead letters

    @Test(arguments: Engine.allCases)
    func `dead letters are listed, filtered, redriven and deleted`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        site.curse("bad")
        var ids: [BookingID] = []
        for number in 0..<5 {
            ids.append(try await site.book("u\(number)", "bad", "2026-12-01", "2026-12-05"))
        }
        try await site.exhaust()
        let all = try site.reader.letters(matching: nil, limit: 100, after: nil)
        #expect(all.items.map(\.id) == ids.sorted().map(\.description) && all.nextToken == nil)
        var pages: [[String]] = []
        var token: String?
        repeat {
            let page = try site.reader.letters(matching: nil, limit: 2, after: token)
            pages.append(page.items.map(\.id))
            token = page.nextToken
        } while token != nil
        #expect(pages.map(\.count) == [2, 2, 1] && pages.flatMap(\.self) == all.items.map(\.id))
        let one = try site.reader.letters(matching: .init(userId: "u2"), limit: 1, after: nil)
        #expect(one.items.count == 1 && one.nextToken == nil)
        func matching(_ filter: DeadLetterFilter) throws -> Int {
            let reader = site.reader
            let ids = try reader.letterIDs(matching: filter, limit: 100, after: nil)
            return ids.count
        }
        #expect(try matching(.init(class: .exhausted)) == 5 && matching(.init(class: .poison)) == 0)
        #expect(
            try matching(.init(reasonContains: "cursed")) == 5
                && matching(.init(reasonContains: "CURSED")) == 0)
        #expect(try matching(.init(reasonContains: "%")) == 0)
        // Nothing has a NUL in it, and what comes before one is not all that is asked for.
        #expect(try matching(.init(reasonContains: "\0cursed")) == 0)
        #expect(try matching(.init(userId: "u0\0")) == 0)
        #expect(try matching(.init(userId: "u3")) == 1 && matching(.init(apartmentId: "bad")) == 5)
        #expect(try matching(.init(deadBefore: site.start)) == 0)
        #expect(try matching(.init(deadBefore: site.now.advanced(by: .seconds(1)))) == 5)

        let worker = site.worker.worker
        let dry = await worker.redrive([ids[0]], matching: nil, input: nil, dryRun: true, by: site.peer)
        #expect(dry.ids == [ids[0]])
        #expect(try site.reader.letter(ids[0]) != nil, "a dry run changes nothing")
        let other = await worker.redrive(
            [ids[0]], matching: .init(userId: "u1"), input: nil, dryRun: false, by: site.peer)
        #expect(other.ids.isEmpty && other.failed.first?.error == QueueInterface.DeadLetterNotFound.errorName)
        let input = CreateBookingInput(
            userId: "u0", apartmentId: "good", startDate: "2027-01-01", endDate: "2027-01-02")
        let done = await worker.redrive([ids[0]], matching: nil, input: input, dryRun: false, by: site.peer)
        #expect(done.ids == [ids[0]] && done.failed.isEmpty)
        let invalid = await worker.redrive(
            [ids[1]], matching: nil,
            input: .init(userId: "u1", apartmentId: "good", startDate: "2027-01-01", endDate: "2027-01-01"),
            dryRun: false, by: site.peer)
        #expect(invalid.failed.first?.error == BookingsInterface.InvalidInput.errorName)
        let deleted = await worker.delete(
            [ids[2], ids[2].other], matching: nil, dryRun: false, by: site.peer)
        #expect(deleted.ids == [ids[2]] && deleted.failed.count == 1)
        try await site.drain()
        #expect(try site.table.booking(ids[0])?.apartmentId == "good")
        // The claim of a deleted letter is free again.
        site.curse(nil)
        _ = try await site.book("u2", "bad", "2026-12-01", "2026-12-05")
        #expect(try await worker.attributes().dead == 3)
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `a letter doesn't get what a message in the queue has claimed`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        site.curse("bad")
        let letter = try await site.book("u", "bad", "2026-12-01", "2026-12-05")
        try await site.exhaust()
        let holder = try await site.book("u", "good", "2026-12-01", "2026-12-05")
        let input = CreateBookingInput(
            userId: "u", apartmentId: "good", startDate: "2027-01-01", endDate: "2027-01-02")
        for dryRun in [true, false] {
            let done = await site.worker.worker.redrive(
                [letter], matching: nil, input: input, dryRun: dryRun, by: site.peer)
            switch engine {
            case .embedded:
                // The worker comes to both, and sets the later one aside.
                #expect(done.ids == [letter])
            case .postgres:
                #expect(done.ids.isEmpty)
                #expect(done.failed.first?.error == BookingsInterface.PendingBookingExists.errorName)
            }
        }
        try await site.drain()
        let committed = try [holder, letter].filter { try site.table.booking($0) != nil }
        #expect(engine == .embedded ? committed.count == 1 : committed == [holder])
        for id in [holder, letter] where !committed.contains(id) {
            #expect(try site.reader.letter(id) != nil)
        }
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `a redriven message that dies again keeps its history`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        site.curse("bad")
        let id = try await site.book("u", "bad", "2026-12-01", "2026-12-05")
        try await site.exhaust()
        let done = await site.worker.worker.redrive(
            [id], matching: nil, input: nil, dryRun: false, by: site.peer)
        #expect(done.ids == [id])
        let back = try #require(try site.waiting().first)
        #expect(back.receiveCount == 0 && back.redriveCount == 1 && back.attempts.count == 3)
        try await site.exhaust()
        let letter = try #require(try site.reader.letter(id))
        #expect(letter.receiveCount == 3 && letter.attempts.count == 6 && letter.redriveCount == 1)
        await site.end()
    }

    // MARK: - Pausing

    @Test(arguments: Engine.allCases)
    func `a pause holds until it is over, for every worker that comes`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        await site.step()
        let end = site.now.advanced(by: .seconds(100))
        try await site.worker.worker.pause(until: end, by: site.peer)
        let id = try await site.book("u", "A", "2026-12-01", "2026-12-05")
        for _ in 0..<5 { await site.step() }
        #expect(try site.table.booking(id) == nil)
        #expect(try site.reader.isPaused())
        await site.worker.worker.stop()
        site.replaceWorker()
        for _ in 0..<5 { await site.step() }
        let attributes = try await site.worker.worker.attributes()
        #expect(attributes.paused && attributes.pausedUntil == end)
        #expect(try site.table.booking(id) == nil)
        site.pass(.seconds(101))
        try await site.drain()
        #expect(try site.table.booking(id) != nil)

        try await site.worker.worker.pause(until: nil, by: site.peer)
        let next = try await site.book("v", "A", "2026-12-01", "2026-12-05")
        site.pass(.seconds(86_400))
        for _ in 0..<5 { await site.step() }
        #expect(try site.table.booking(next) == nil)
        try await site.worker.worker.resume(by: site.peer)
        try await site.drain()
        #expect(try site.table.booking(next) != nil)
        await site.end()
    }

    // MARK: - Deciding

    @Test(arguments: Engine.allCases)
    func `an approval cancels what overlaps it, and decisions are refused as they must be`(
        _ engine: Engine
    ) async throws {
        let site = try await ConformanceSite(engine)
        let worker = site.worker.worker
        let first = try await site.book("a", "A", "2026-12-01", "2026-12-10")
        func refusal(_ body: () async throws(ErrorReply) -> Void) async -> (any VarlinkError)? {
            do throws(ErrorReply) {
                try await body()
                return nil
            } catch {
                return error.error
            }
        }
        let early = await refusal { () throws(ErrorReply) in
            _ = try await worker.approve(first.description, by: site.peer)
        }
        #expect((early as? CaretakerInterface.NotYetCommitted)?.progress == .queued)
        let second = try await site.book("b", "A", "2026-12-05", "2026-12-15")
        let third = try await site.book("c", "A", "2026-12-10", "2026-12-15")
        let elsewhere = try await site.book("b", "B", "2026-12-05", "2026-12-15")
        try await site.drain()
        site.pass(.seconds(5))
        let approved = try await worker.approve(first.description, by: site.peer)
        #expect(approved.cancelled == [second.description])
        #expect(approved.booking.bookingStatus == .approved && approved.booking.updatedOn == site.now)
        #expect(try site.status(second) == .cancelled && site.status(third) == .pending)
        #expect(try site.status(elsewhere) == .pending)
        let again = await refusal { () throws(ErrorReply) in
            _ = try await worker.approve(first.description, by: site.peer)
        }
        #expect((again as? CaretakerInterface.WrongStatus)?.bookingStatus == .approved)
        let cancelled = await refusal { () throws(ErrorReply) in
            _ = try await worker.cancel(second.description, by: site.peer)
        }
        #expect((cancelled as? CaretakerInterface.WrongStatus)?.bookingStatus == .cancelled)
        let unknown = await refusal { () throws(ErrorReply) in
            _ = try await worker.cancel(first.other.description, by: site.peer)
        }
        #expect(unknown is CaretakerInterface.BookingNotFound)
        _ = try await worker.cancel(first.description, by: site.peer)
        _ = try await worker.approve(third.description, by: site.peer)
        // What was free when it was asked for, and is taken now.
        let late = try await site.book("d", "A", "2026-12-01", "2026-12-10")
        let later = try await site.book("e", "A", "2026-12-05", "2026-12-08")
        try await site.drain()
        #expect(try await worker.approve(late.description, by: site.peer).cancelled == [later.description])
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `bookings that nobody decides are cancelled after their time`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        let old = try await site.book("a", "A", "2026-12-01", "2026-12-10")
        try await site.drain()
        site.pass(.seconds(86_400 * 20))
        let young = try await site.book("b", "A", "2026-12-01", "2026-12-10")
        try await site.drain()
        site.pass(.seconds(86_400 * 11))
        try await site.drain()
        #expect(try site.status(old) == .cancelled && site.status(young) == .pending)
        await site.end()
    }

    // MARK: - Looking

    @Test(arguments: Engine.allCases)
    func `lists come newest first and page by page, by apartment, by user and all`(_ engine: Engine)
        async throws
    {
        let site = try await ConformanceSite(engine)
        var ids: [String] = []
        for number in 0..<9 {
            let id = try await site.book("user", "A\(number)", "2026-12-01", "2026-12-10")
            ids.append(id.description)
            if number % 3 == 1 { site.pass(.milliseconds(3)) }
        }
        for number in 0..<4 {
            ids.append(
                try await site.book("other\(number)", "A0", "2027-01-0\(number + 1)", "2027-02-01")
                    .description)
        }
        try await site.drain()
        _ = try await site.worker.worker.approve(ids[4], by: site.peer)
        _ = try await site.worker.worker.cancel(ids[7], by: site.peer)
        func all(_ owner: BookingOwner, _ status: BookingStatus? = nil, limit: Int) throws -> [String] {
            var (found, token): ([String], String?) = ([], nil)
            repeat {
                let page = try site.table.bookings(of: owner, status: status, limit: limit, after: token)
                #expect(page.items.count <= limit)
                found += page.items.map(\.id)
                token = page.nextToken
            } while token != nil
            return found
        }
        for limit in [1, 2, 4, 100] {
            #expect(try all(.user("user"), limit: limit) == ids.prefix(9).reversed())
            #expect(try all(.apartment("A0"), limit: limit) == (ids[9...] + [ids[0]]).sorted().reversed())
            #expect(try all(.everybody, limit: limit) == ids.sorted())
            #expect(try all(.user("user"), .approved, limit: limit) == [ids[4]])
            #expect(try all(.user("user"), .pending, limit: limit).count == 7)
            #expect(try all(.everybody, .cancelled, limit: limit) == [ids[7]])
            #expect(try all(.user("nobody"), limit: limit).isEmpty)
        }
        for (owner, token) in [
            (BookingOwner.user("user"), "nonsense"), (.everybody, "2026"), (.apartment("A0"), "a/b"),
        ] {
            #expect(throws: InvalidPageToken.self) {
                try site.table.bookings(of: owner, status: nil, limit: 1, after: token)
            }
        }
        await site.end()
    }

    @Test(arguments: Engine.allCases)
    func `what waits is counted, listed and told apart by age`(_ engine: Engine) async throws {
        let site = try await ConformanceSite(engine)
        site.curse("bad")
        for number in 0..<6 { _ = try await site.book("u\(number)", "bad", "2026-12-01", "2026-12-05") }
        await site.step()
        try await site.worker.worker.pause(until: nil, by: site.peer)
        for number in 0..<7 {
            _ = try await site.book("u\(number)", "A\(number % 2)", "2026-12-01", "2026-12-05")
        }
        let counts = try await site.worker.worker.attributes()
        #expect(counts.incoming == 7 && counts.active == 0 && counts.deferred == 6 && counts.dead == 0)
        for limit in [1, 3, 13, 100] {
            var pages = try site.reader.messages(after: nil)
            var page = try pages.next(limit)
            var places = page.items.map(\.place)
            var ids = page.items.map(\.id)
            var count = 1
            while let token = page.nextToken {
                count += 1
                // A token is good for whoever comes later, too.
                var later = try site.reader.messages(after: token)
                #expect(try later.next(1).items.allSatisfy { !ids.contains($0.id) })
                page = try pages.next(limit)
                places += page.items.map(\.place)
                ids += page.items.map(\.id)
            }
            #expect(places == Array(repeating: .incoming, count: 7) + Array(repeating: .deferred, count: 6))
            #expect(Set(ids).count == 13)
            #expect(count == (13 + limit - 1) / limit, "the last page says that it is")
        }
        #expect(throws: InvalidPageToken.self) { _ = try site.reader.messages(after: "nonsense") }
        var tally = AgeTally(at: site.now)
        var ages = site.reader.ages(by: .apartment, dead: false)
        while try ages.countMore(into: &tally) {}
        let profile = tally.profile(rows: 2)
        #expect(profile.total.total == 13 && profile.rows.map(\.name) == ["bad", "A0"])
        #expect(profile.rows.map(\.total) == [6, 4] && profile.others?.total == 3)
        await site.end()
    }
}
