import Bookings
import Support
import Testing
import Varlink

/// Both daemons are killed at each of their steps by fault points, which only debug builds have.
@Suite struct CrashTests {
    @Test(arguments: ["worker.take", "worker.apply", "worker.commit", "worker.settle", "worker.remove"])
    func everyAcceptedBookingIsCommittedOnceThoughTheWorkerWasKilled(at step: String) async throws {
        let site = try Site()
        let front = try await site.startFront()
        var ids: Set<String> = []
        for number in 0..<12 { ids.insert(try await site.book("u\(number)")) }
        let many = BookingsInterface.CreateMany(inputs: (0..<25).map { site.input("v\($0)") })
        let created: BookingsInterface.CreatedMany = try await site.bookings("CreateApartmentBookings", many)
        ids.formUnion(created.results.compactMap(\.id))
        #expect(ids.count == 37)

        for hits in 1...3 {
            // Groups double, so that only small ones give each worker enough of them to die in the third.
            let killed = try site.start(
                "acms-workerd", ["ACMS_FAULT_POINT": "\(step):\(hits)", "ACMS_WORKER_BATCH_SIZE": "2"])
            #expect(await killed.end() == -9)
        }
        let worker = try await site.startWorker()
        try await site.drained()
        let items = try await site.list()
        #expect(items.count == ids.count)
        #expect(Set(items.map(\.id)) == ids)
        let attributes = try await site.attributes()
        #expect(attributes.committedTotal == 37)
        #expect(attributes.dead == 0)
        await front.stop()
        await worker.stop()
    }

    @Test(arguments: ["front.write", "front.sync", "front.rename", "front.answer"])
    func whatWasAnsweredIsThereThoughTheFrontWasKilled(at step: String) async throws {
        let site = try Site()
        let first = try await site.startFront()
        let answered = try await site.book("before")
        await first.kill9()
        let killed = try await site.startFront(["ACMS_FAULT_POINT": step])
        await #expect(throws: (any Error).self) { try await site.book("unanswered") }
        #expect(await killed.end() == -9)

        let front = try await site.startFront()
        #expect(try site.unfinishedFiles().isEmpty)
        // Whoever got no answer asks again, and gets the one booking that there is, or a new one.
        let again: String
        if let error = try await refusal({ try await site.book("unanswered") }) {
            again = try #require(error.decode(BookingsInterface.PendingBookingExists.self)).bookingId
        } else {
            again = ""
        }
        let worker = try await site.startWorker()
        try await site.drained()
        let items = try await site.list()
        #expect(items.map(\.userId).sorted() == ["before", "unanswered"])
        #expect(items.contains { $0.id == answered })
        #expect(again.isEmpty || items.contains { $0.id == again })
        await front.stop()
        await worker.stop()
    }
}
