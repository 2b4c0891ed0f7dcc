import Bookings
import Foundation
import Support
import Testing
import Varlink

/// Dead letters are worked: redriven, mended, deleted.
@Suite struct DeadLetterTests {
    private func site(_ environment: [String: String] = [:]) async throws -> (
        Site, front: RunningDaemon, worker: RunningDaemon
    ) {
        let site = try Site(environment)
        return (site, try await site.startFront(), try await site.startWorker())
    }

    private func line(_ user: String, _ start: String = "2026-02-30", apartment: String = "A") -> String {
        #"{"input":{"userId":"\#(user)","apartmentId":"\#(apartment)","startDate":"\#(start)","endDate":"2026-03-05"}}"#
    }

    private func id(_ file: String, _ line: Int = 1) -> String {
        BookingID.derived(fileName: file, line: line).description
    }

    private func mended(_ user: String) -> CreateBookingInput {
        .init(userId: user, apartmentId: "A", startDate: "2026-02-28", endDate: "2026-03-05")
    }

    private func letters(_ site: Site, _ users: [String]) async throws {
        try site.drop("bad", users.map { line($0) }.joined(separator: "\n").utf8)
        try await eventually("the letters") { try await site.deadLetters().count == users.count }
        try await site.drained()
    }

    @Test func aMendedLetterIsCommittedUnderItsId() async throws {
        let (site, front, worker) = try await site()
        try await letters(site, ["u"])
        let id = id("bad")
        #expect(
            try await site.redrive(.init(ids: [id])).failed
                == [
                    .init(
                        id: id, error: BookingsInterface.InvalidInput.errorName,
                        reason: "The booking is not valid: startDate is not a calendar date YYYY-MM-DD.")
                ])
        let dry = try await site.redrive(.init(ids: [id], dryRun: true, input: mended("u")))
        #expect(dry == .init(redriven: [id], failed: []))
        #expect(try await site.attributes().dead == 1)
        #expect(
            try await site.redrive(.init(ids: [id], input: mended("u")))
                == .init(redriven: [id], failed: []))
        let state = try await site.settled(id)
        #expect(state.progress == .committed)
        #expect(state.booking.startDate == "2026-02-28")
        #expect(try await site.deadLetters().isEmpty)
        let log = try site.log(of: "acms-workerd")
        #expect(
            log.contains("Put a dead letter back into the queue, as root (uid 0) asked.") || getuid() != 0)
        await front.stop()
        await worker.stop()
    }

    @Test func aDeletedLetterFreesItsClaimAndIsGoneForGood() async throws {
        let (site, front, worker) = try await site(["ACMS_WORKER_MAX_RECEIVE_COUNT": "1"])
        let first = try await site.book("reference")
        _ = try await site.settled(first)
        try await curse(site)
        let id = try await site.book("u", "cursed")
        #expect(try await site.settled(id).progress == .deadLettered)
        let pending = try await refusal { try await site.book("u", "cursed") }
        #expect(
            pending?.decode(BookingsInterface.PendingBookingExists.self)
                == .init(bookingId: id, progress: .deadLettered))
        let dry = try await site.delete(.init(ids: [id], dryRun: true))
        #expect(dry == .init(deleted: [id], failed: []))
        #expect(try await site.attributes().dead == 1)
        #expect(try await site.delete(.init(filter: .init(userId: "u"))) == .init(deleted: [id], failed: []))
        #expect(
            try await refusal { try await site.progress(of: id) }?.name
                == BookingsInterface.BookingNotFound.errorName)
        #expect(
            try await site.delete(.init(ids: [id, "nonsense"])).failed.map(\.error)
                == Array(repeating: QueueInterface.DeadLetterNotFound.errorName, count: 2))
        let again = try await site.book("u", "cursed")
        #expect(again != id)
        await worker.stop()
        let next = try await site.startWorker()
        try await eventually("the letter of the new one") {
            try await site.deadLetters().map(\.id) == [again]
        }
        await front.stop()
        await next.stop()
    }

    @Test func nothingIsDoneToAllByLeavingSomethingOut() async throws {
        let (site, front, worker) = try await site()
        try await letters(site, ["u"])
        func parameter(_ call: () async throws -> some Any) async throws -> String? {
            try await refusal(call)?.decode(ServiceError.InvalidParameter.self)?.parameter
        }
        #expect(try await parameter { try await site.redrive(.init()) } == "ids")
        #expect(try await parameter { try await site.redrive(.init(dryRun: true)) } == "ids")
        #expect(try await parameter { try await site.delete(.init()) } == "ids")
        #expect(
            try await parameter { try await site.redrive(.init(filter: .init(), maxPerSecond: 0)) }
                == "maxPerSecond")
        #expect(
            try await parameter { try await site.redrive(.init(filter: .init(), input: mended("u"))) }
                == "input")
        #expect(
            try await parameter { try await site.redrive(.init(ids: ["a", "b"], input: mended("u"))) }
                == "input")
        #expect(try await site.redrive(.init(ids: [])) == .init(redriven: [], failed: []))
        #expect(try await site.delete(.init(ids: [])) == .init(deleted: [], failed: []))
        #expect(try await site.attributes().dead == 1)
        await front.stop()
        await worker.stop()
    }

    @Test func aLetterThatWouldBeRefusedAsABookingStays() async throws {
        let (site, front, worker) = try await site()
        try await letters(site, ["u", "v"])
        let other = try await site.book("u")
        _ = try await site.settled(other)
        let refused = try await site.redrive(.init(ids: [id("bad")], input: mended("u")))
        #expect(refused.redriven.isEmpty)
        #expect(refused.failed.map(\.error) == [BookingsInterface.PendingBookingExists.errorName])
        #expect(refused.failed.first?.reason.contains(other) == true)
        // The reference booking is from 2022-09-22 to 2022-10-22.
        _ = try await site.approve(other)
        var overlapping = mended("v")
        (overlapping.startDate, overlapping.endDate) = ("2022-09-01", "2022-10-01")
        let taken = try await site.redrive(.init(ids: [id("bad", 2)], input: overlapping))
        #expect(taken.failed.map(\.error) == [BookingsInterface.ApartmentNotAvailable.errorName])
        #expect(try await site.attributes().dead == 2)
        await front.stop()
        await worker.stop()
    }

    @Test func aRedriveWithMoreTellsEachLetterOnceAndKeepsItsPace() async throws {
        let (site, front, worker) = try await site()
        try await curse(site)
        let created: BookingsInterface.CreatedMany = try await site.bookings(
            "CreateApartmentBookings",
            BookingsInterface.CreateMany(inputs: (0..<30).map { site.input("u\($0)", "cursed") }))
        let ids = created.results.compactMap(\.id)
        try await eventually("the letters") { try await site.deadLetters().count == 30 }
        try await sqlite(site, "DROP TRIGGER cursed")
        let begin = ContinuousClock.now
        let replies: [QueueInterface.Redriven] = try await Client.withConnection(to: site.socket("Queue")) {
            client in
            var replies: [QueueInterface.Redriven] = []
            let stream = client.stream(
                QueueInterface.method("RedriveDeadLetters"),
                QueueInterface.RedriveDeadLetters(filter: .init(apartmentId: "cursed"), maxPerSecond: 20),
                returning: QueueInterface.Redriven.self)
            for try await reply in stream { replies.append(reply) }
            return replies
        }
        #expect(replies.flatMap(\.redriven) == ids.sorted())
        #expect(replies.count > 1)
        // The first portion goes at once, the last after 28 of 20 a second.
        #expect(ContinuousClock.now - begin >= .seconds(1.4))
        for id in ids { #expect(try await site.settled(id).progress == .committed) }
        #expect(try await site.deadLetters().isEmpty)
        await front.stop()
        await worker.stop()
    }

    @Test func aLetterThatKilledTheWorkerIsTriedByItselfOnceItIsRedriven() async throws {
        let fatal = ["ACMS_FAULT_APARTMENT": "deadly", "ACMS_WORKER_MAX_RECEIVE_COUNT": "2"]
        let site = try Site()
        let front = try await site.startFront()
        let killer = try await site.book("killer", "deadly")
        for _ in 0..<2 {
            let killed = try site.start("acms-workerd", fatal)
            #expect(await killed.end() == -9)
        }
        let worker = try await site.startWorker(fatal)
        #expect(try await site.settled(killer).progress == .deadLettered)
        try await site.pause()
        let neighbours = try await site.books((0..<5).map { "n\($0)" })
        #expect(try await site.redrive(.init(ids: [killer])).redriven == [killer])
        // It may die before it answers.
        try? await site.resume()
        #expect(await worker.end() == -9)
        let next = try await site.startWorker()
        try await site.drained()
        for id in neighbours + [killer] { #expect(try await site.progress(of: id) == .committed) }
        let log = try site.log(of: "acms-workerd")
        // Three deaths with the killer in hand, and nobody else was charged for one.
        #expect(log.components(separatedBy: "Charged 1 of them").count == 4)
        await front.stop()
        await next.stop()
    }

    @Test(arguments: ["worker.redrive", "worker.delete"])
    func aCrashInTheMiddleLosesNothingAndBringsNothingBack(step: String) async throws {
        let (site, front, first) = try await site()
        try await letters(site, ["u", "v"])
        await first.stop()
        let killed = try await site.startWorker(["ACMS_FAULT_POINT": step])
        await #expect(throws: (any Error).self) {
            if step == "worker.redrive" {
                _ = try await site.redrive(.init(ids: [id("bad")], input: mended("u")))
            } else {
                _ = try await site.delete(.init(ids: [id("bad")]))
            }
        }
        #expect(await killed.end() == -9)
        let worker = try await site.startWorker()
        try await site.drained()
        #expect(try await site.deadLetters().map(\.id) == [id("bad", 2)])
        if step == "worker.redrive" {
            #expect(try await site.progress(of: id("bad")) == .committed)
        } else {
            #expect(
                try await refusal { try await site.progress(of: id("bad")) }?.name
                    == BookingsInterface.BookingNotFound.errorName)
        }
        await front.stop()
        await worker.stop()
    }
}
