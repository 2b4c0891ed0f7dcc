import Bookings
import Support
import Testing
import Varlink

/// Bookings that the table refuses, one by one, are tried ten times and hold nobody else up.
@Suite struct RetryTests {
    @Test(.timeLimit(.minutes(2))) func bookingsOfACursedApartmentDieAfterTenTriesWhileAllOthersAreCommitted()
        async throws
    {
        let site = try Site([
            "ACMS_WORKER_RETRY_INITIAL_SECONDS": "0.02", "ACMS_WORKER_RETRY_MAXIMUM_SECONDS": "5",
        ])
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        try await eventually("the table") { try await site.attributes().tableAvailable }
        let reference = try await commit(site, "reference")

        try await curse(site)
        let cursed = try await site.books((0..<20).map { "c\($0)" }, "cursed")
        #expect(cursed.count == 20)
        try await expectRefusal(site, cursed[7], .deferred)
        let beside = try await commit(site, "beside")
        print("1,000 bookings: \(reference) alone, \(beside) beside the cursed, ratio \(beside / reference)")
        for id in cursed { #expect(try await site.settled(id).progress == .deadLettered) }
        try await expectRefusal(site, cursed[7], .deadLettered)
        let letters = try await site.deadLetters()
        #expect(letters.map(\.id).sorted() == cursed.sorted())
        for letter in letters { check(letter) }
        // Nine deferrals each, and nobody else's.
        let deferrals = try site.log(of: "acms-workerd").split(separator: "\n").filter {
            $0.contains("Deferred a booking")
        }
        #expect(deferrals.count == 180)
        #expect(deferrals.allSatisfy { line in cursed.contains { line.contains($0) } })

        try await sqlite(site, "DROP TRIGGER cursed")
        let redriven = try await site.redrive(.init(filter: .init(apartmentId: "cursed")))
        #expect(redriven.redriven.sorted() == cursed.sorted() && redriven.failed.isEmpty)
        for id in cursed { #expect(try await site.settled(id).progress == .committed) }
        #expect(
            try await sqlite(site, "SELECT id FROM bookings WHERE apartmentId = 'cursed'").sorted()
                == cursed.sorted())
        #expect(try await site.deadLetters().isEmpty)
        await front.stop()
        await worker.stop()
    }

    /// Books a thousand times and waits until all are committed.
    private func commit(_ site: Site, _ apartment: String) async throws -> Duration {
        let begin = ContinuousClock.now
        var ids: [String] = []
        for hundred in 0..<10 {
            ids += try await site.books((0..<100).map { "u\(hundred)-\($0)" }, apartment)
        }
        #expect(ids.count == 1000)
        if let last = ids.last { #expect(try await site.settled(last).progress == .committed) }
        let end = ContinuousClock.now
        for id in ids { #expect(try await site.progress(of: id) == .committed) }
        return end - begin
    }

    private func expectRefusal(_ site: Site, _ id: String, _ progress: Bookings.Progress) async throws {
        try await eventually("\(id) to be \(progress)") { try await site.progress(of: id) == progress }
        try await eventually("a refusal that says \(progress)") {
            try await refusal { try await site.book("c7", "cursed") }?.decode(
                BookingsInterface.PendingBookingExists.self) == .init(bookingId: id, progress: progress)
        }
    }

    /// Ten tries, each after twice the delay of the one before, up to the longest, a fifth more or less.
    private func check(_ letter: DeadLetter) {
        #expect(letter.class == .exhausted)
        #expect(letter.receiveCount == 10)
        #expect(letter.attempts.count == 10)
        #expect(letter.attempts.allSatisfy { $0.class == Attempt.failed && $0.reason.contains("cursed") })
        var delay = Duration.milliseconds(20)
        for (earlier, later) in zip(letter.attempts, letter.attempts.dropFirst()) {
            // Times are rounded to milliseconds.
            #expect(later.on.since(earlier.on) >= min(delay, .seconds(5)) * 0.8 - .milliseconds(1))
            delay *= 2
        }
    }
}
