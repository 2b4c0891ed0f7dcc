import Bookings
import Support
import Testing
import Varlink

@Suite struct LifeTests {
    @Test func aSecondWorkerOnTheSameSpoolStopsAndSaysWhy() async throws {
        let site = try Site()
        let worker = try await site.startWorker()
        let second = try site.start("acms-workerd")
        #expect(await second.end() == 75)
        #expect(try site.log(of: "acms-workerd").contains("Another worker has this spool"))
        #expect(worker.isRunning)
        await worker.stop()
    }

    @Test func aWorkerIsStartedByACallEndsWhenIdleAndNotWhileSomebodyIsConnected() async throws {
        let site = try Site(["ACMS_WORKER_IDLE_EXIT_SECONDS": "0.3"])
        let worker = try await site.startActivated("acms-workerd", ["Queue", "Caretaker"])
        #expect(try site.log(of: "acms-workerd").contains("Started") == false)
        try await Client.withConnection(to: site.socket("Queue")) { client in
            for _ in 0..<10 {
                let counts: QueueInterface.Attributes = try await client.call(
                    QueueInterface.method("GetQueueAttributes"), NoParameters())
                #expect(counts.tableAvailable)
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(worker.isRunning)
        }
        #expect(await worker.end() == 0)
        #expect(try site.log(of: "acms-workerd").contains("Nothing to do; stopping."))
    }

    @Test func termStopsTheDaemonsWithEveryAnswerGivenAndNothingLeftInHand() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let answered = await withTaskGroup(of: [String].self) { group in
            for client in 0..<8 {
                group.addTask {
                    var ids: [String] = []
                    for number in 0..<10_000 {
                        guard let id = try? await site.book("u\(client).\(number)") else { break }
                        ids.append(id)
                    }
                    return ids
                }
            }
            // Some bookings have been answered by the time that all eight clients are at it.
            try? await eventually("bookings") { try await site.attributes().committedTotal > 100 }
            await worker.stop()
            await front.stop()
            return await group.reduce(into: [String]()) { $0 += $1 }
        }
        #expect(answered.count > 100)
        #expect(try site.directory.names(in: "spool/active").isEmpty)
        #expect(try site.unfinishedFiles().isEmpty)
        let after = try await site.startFront()
        let rest = try await site.startWorker()
        try await site.drained()
        for id in answered { #expect(try await site.progress(of: id) == .committed) }
        await after.stop()
        await rest.stop()
    }

    @Test func whoAwaitsABookingLearnsEachChange() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let id = try await site.book("u")
        let seen = try await Client.withConnection(to: site.socket("Bookings")) { client in
            var seen: [Progress] = []
            var worker: RunningDaemon?
            let changes = client.stream(
                BookingsInterface.method("AwaitBooking"), BookingsInterface.ByID(id: id),
                returning: BookingsInterface.BookingState.self)
            for try await state in changes {
                seen.append(state.progress)
                if worker == nil { worker = try await site.startWorker() }
            }
            await worker?.stop()
            return seen
        }
        #expect(seen == [.queued, .committed])
        await front.stop()
    }

    @Test func aFailureOfOneMessageDefersItAndADroppedCauseLetsItThrough() async throws {
        let site = try Site(["ACMS_WORKER_MAX_RECEIVE_COUNT": "1000"])
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        _ = try await site.settled(try await site.book("first"))
        try await sqlite(
            site,
            "CREATE TRIGGER broken BEFORE INSERT ON bookings WHEN NEW.apartmentId = 'B' BEGIN SELECT RAISE(ABORT, 'no B today'); END"
        )
        let failing = try await site.book("u", "B")
        for number in 0..<30 { _ = try await site.settled(try await site.book("other\(number)")) }
        try await eventually("the failing one to be deferred") {
            try await site.progress(of: failing) == .deferred
        }
        try await sqlite(site, "DROP TRIGGER broken")
        #expect(try await site.settled(failing).progress == .committed)
        await front.stop()
        await worker.stop()
    }
}
