import Bookings
import Foundation
import Support
import Testing
import Varlink

@Suite struct PauseTests {
    @Test func acceptingGoesOnAndCommittingStopsUntilItIsResumedAlsoByAnotherWorker() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let first = try await site.startWorker()
        try await site.pause()
        let ids = try await site.books((0..<25).map { "u\($0)" })
        let attributes = try await site.attributes()
        #expect(attributes.paused)
        #expect(attributes.pausedUntil == nil)
        #expect(attributes.incoming == 25)
        #expect(attributes.active == 0)
        await first.kill9()
        let second = try await site.startWorker()
        #expect(try await site.attributes().paused)
        // A caretaker's call is answered, which the worker does between steps: it has seen the queue and left it.
        let error = try await refusal { try await site.approve(ids[0]) }
        #expect(error?.name == CaretakerInterface.NotYetCommitted.errorName)
        #expect(try await site.attributes().incoming == 25)
        try await site.resume()
        for id in ids { #expect(try await site.settled(id).progress == .committed) }
        #expect(try await site.attributes().paused == false)
        try await site.resume()
        await front.stop()
        await second.stop()
        #expect(try site.log(of: "acms-workerd").components(separatedBy: "Resumed the committing").count == 2)
    }

    @Test func aPauseEndsByItselfAtItsTime() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let end = Timestamp.now().advanced(by: .milliseconds(700))
        try await site.pause(until: end)
        #expect(try await site.attributes().pausedUntil == end)
        let id = try await site.book("u")
        let state = try await site.settled(id)
        #expect(state.progress == .committed)
        #expect(Timestamp.now() >= end)
        #expect(try await site.attributes().paused == false)
        #expect(!FileManager.default.fileExists(atPath: "\(site.directory.path)/spool/paused"))
        let past = try await refusal { try await site.pause(until: end) }
        #expect(past?.decode(ServiceError.InvalidParameter.self)?.parameter == "until")
        await front.stop()
        await worker.stop()
    }

    @Test func aPauseMayEndInThousandsOfYears() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let end = try #require(Timestamp("9999-12-31T23:59:59Z"))
        try await site.pause(until: end)
        let id = try await site.book("u")
        #expect(try await site.attributes().pausedUntil == end)
        #expect(try await site.progress(of: id) == .queued)
        try await site.resume()
        #expect(try await site.settled(id).progress == .committed)
        #expect(worker.isRunning)
        await front.stop()
        await worker.stop()
    }

    @Test func aPausedWorkerEndsWhenIdleOnlyIfNothingWaits() async throws {
        let site = try Site(["ACMS_WORKER_IDLE_EXIT_SECONDS": "0.2"])
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        try await site.pause()
        #expect(await worker.end() == 0)
        let id = try await site.book("u")
        let busy = try site.start("acms-workerd")
        try await site.reachable("Queue")
        #expect(try await site.attributes().paused)
        #expect(try await site.progress(of: id) == .queued)
        try await site.resume()
        #expect(try await site.settled(id).progress == .committed)
        #expect(await busy.end() == 0)
        await front.stop()
    }

    @Test func whatIsInHandWhenThePauseComesIsCommittedOrWaits() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        for round in 0..<10 {
            let ids = try await site.books((0..<100).map { "r\(round)-\($0)" })
            try await site.pause()
            let attributes = try await site.attributes()
            #expect(attributes.active == 0)
            #expect(attributes.deferred == 0)
            // A file of which a part is committed goes back whole, so it may count more than what waits.
            #expect(attributes.committedTotal + attributes.incoming >= ids.count * (round + 1))
            try await site.resume()
            try await site.drained()
        }
        #expect(try await site.attributes().committedTotal == 1000)
        await front.stop()
        await worker.stop()
    }
}
