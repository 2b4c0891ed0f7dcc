import Bookings
import Synchronization

@testable import Front
@testable import Worker

extension RandomRun {
    /// Ends all trouble, lets the worker finish, and looks at everything.
    func settle() async throws {
        worker.table.faults.withLock { $0 = .init() }
        if worker.crash.isCrashed { try await replaceWorker() }
        // A resume that a crash has undone is asked for again.
        while isPaused { try await pause() }
        var rounds = 0
        while rounds < 10_000 {
            rounds += 1
            if worker.crash.isCrashed { try await replaceWorker() }
            if case .wait = await worker.worker.step() {
                if await worker.worker.isIdle { break }
                // As each beat of the heart does: a copy of a message that was in hand can be taken now.
                await worker.worker.retryStuck()
                host.clock.advance(by: .seconds(301))
            }
        }
        try observe()
        let left = try messages().map { "\($0.place) \($0.message.id)" }
        let why = await "\(worker.worker.stage) \(worker.worker.spoolOutage) \(worker.worker.tableOutage)"
        try expect(model.queued.isEmpty, "still queued: \(model.queued); \(rounds) rounds, \(why), \(left)")
        try await check()
        note("settled")
    }

    private func check() async throws {
        let left = try host.storage.leftovers()
        try expect(left.isEmpty, "left behind: \(left)")
        let dead = Set(try host.storage.reader.letterIDs(matching: .init(), limit: 100_000, after: nil))
        let reasons = try dead.subtracting(model.dead).map { try letter($0)?.reason ?? "gone" }
        try expect(
            dead == model.dead, "dead letters are \(dead), expected \(model.dead); others: \(reasons)")
        var rows = 0
        for apartment in Self.apartments { rows += try check(apartment) }
        let committed = model.entries.values.count { if case .committed = $0.state { true } else { false } }
        try expect(rows == committed, "\(rows) rows, expected \(committed)")
        // No claim and no key is left behind, and none is forgotten.
        for user in Self.users {
            for apartment in Self.apartments {
                let input = CreateBookingInput(
                    userId: user, apartmentId: apartment, startDate: "2040-01-01", endDate: "2040-01-02")
                try await book([try BookingRequest(input)])
            }
        }
    }

    private func check(_ apartment: String) throws -> Int {
        var token: String?
        var rows = 0
        var pending: Set<String> = []
        var approved: [Booking] = []
        repeat {
            let page: BookingPage
            do {
                page = try host.table.bookings(
                    of: .apartment(apartment), status: nil, limit: 1000, after: token)
            } catch let error as TableUnavailable where error.kind == .missing {
                return 0
            }
            for booking in page.items {
                rows += 1
                let id = BookingID(booking.id)
                let entry = id.flatMap { model.entries[$0] }
                try expect(
                    entry?.state == .committed(booking.bookingStatus),
                    "\(booking), expected \(String(describing: entry))")
                if booking.bookingStatus == .pending {
                    try expect(pending.insert(booking.userId).inserted, "two PENDING: \(booking)")
                }
                if booking.bookingStatus == .approved { approved.append(booking) }
            }
            token = page.nextToken
        } while token != nil
        approved.sort { $0.startDate < $1.startDate }
        for (first, next) in zip(approved, approved.dropFirst()) {
            try expect(first.endDate <= next.startDate, "two APPROVED overlap: \(first), \(next)")
        }
        return rows
    }
}
