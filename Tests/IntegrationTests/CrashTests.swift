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
            let killed = try site.start("acms-workerd", ["ACMS_FAULT_POINT": "\(step):\(hits)"])
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

    @Test(arguments: ["front.write", "front.rename", "front.sync", "front.answer"])
    func whatWasAnsweredIsThereThoughTheFrontWasKilled(at step: String) async throws {
        let site = try Site()
        let first = try await site.startFront()
        let answered = try await site.book("before")
        await first.kill9()
        let killed = try await site.startFront(["ACMS_FAULT_POINT": step])
        await #expect(throws: (any Error).self) { try await site.book("unanswered") }
        #expect(await killed.end() == -9)

        let front = try await site.startFront()
        #expect(try site.directory.names(in: "spool/tmp").isEmpty)
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

    @Test func aMessageThatKillsTheWorkerIsSetAsideAndItsNeighboursAreCommitted() async throws {
        let site = try Site()
        let front = try await site.startFront()
        var inputs = (0..<100).map { site.input("u\($0)") }
        inputs.insert(site.input("killer", "deadly"), at: 51)
        let created: BookingsInterface.CreatedMany = try await site.bookings(
            "CreateApartmentBookings", BookingsInterface.CreateMany(inputs: inputs))
        let killer = try #require(created.results[51].id)
        let fatal = ["ACMS_FAULT_APARTMENT": "deadly"]
        // As the service manager does: started again as often as it dies, until it lives.
        var deaths = 0
        var worker = try site.start("acms-workerd", fatal)
        while true {
            let current = worker
            let isOver = try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask { await current.end() != -9 }
                group.addTask {
                    try await eventually("the killer to be set aside", within: .seconds(60)) {
                        if !current.isRunning { return true }
                        return try await site.progress(of: killer) == .deadLettered
                    }
                    return current.isRunning
                }
                defer { group.cancelAll() }
                return try await group.next() ?? true
            }
            if isOver { break }
            deaths += 1
            worker = try site.start("acms-workerd", fatal)
        }
        #expect(deaths == 10)
        try await site.reachable("Queue")
        try await site.drained()
        #expect(
            Set(try await site.list().map(\.id))
                == Set(created.results.compactMap(\.id)).subtracting([killer]))
        let letter = try #require(try await site.deadLetters().first)
        #expect(try await site.deadLetters().count == 1)
        #expect(letter.id == killer)
        #expect(letter.class == .crash)
        #expect(letter.receiveCount == 10)
        #expect(letter.attempts.map(\.class) == Array(repeating: Attempt.crash, count: 10))
        #expect(try await site.progress(of: killer) == .deadLettered)
        // The first death charges the batch that it was in, every later one the killer alone.
        let charges = try site.log(of: "acms-workerd").split(separator: "\n").compactMap { line in
            line.firstRange(of: "Charged ").map { String(line[$0.upperBound...].prefix { $0 != " " }) }
        }
        #expect(charges == ["10"] + Array(repeating: "1", count: 9))
        #expect(worker.isRunning)
        await front.stop()
        await worker.stop()
    }
}
