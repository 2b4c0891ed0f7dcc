import Bookings
import Foundation
import Support
import Testing

/// A message that kills the worker each time ends alone, by the worker's own count and nobody's start limit.
@Suite struct DeadlyMessageTests {
    @Test(.timeLimit(.minutes(2)))
    func aMessageThatKillsTheWorkerIsSetAsideAfterTenReceivesAndHarmsNoneOfAHundred()
        async throws
    {
        let site = try Site()
        let front = try await site.startFront()
        let before = try await site.books((0..<50).map { "u\($0)" })
        let deadly = try await site.book("killer", "deadly")
        let after = try await site.books((50..<100).map { "u\($0)" })
        let good = before + after
        #expect(good.count == 100)

        var deaths = 0
        var charges: [String: Int] = [:]
        var worker = try start(site)
        while try await !isDone(site, worker) {
            #expect(await worker.end() == -9)
            deaths += 1
            try #require(deaths <= 11)
            for line in try site.queuedLines() {
                if let id = line.id { charges[id] = max(charges[id] ?? 0, line.receiveCount ?? 0) }
            }
            worker = try start(site)
        }
        // The first worker may have had a group of several batches in hand, of which others are charged first.
        #expect(deaths >= 10)
        // The last charge is in the letter.
        #expect(charges[deadly] == 9)
        #expect(good.allSatisfy { charges[$0] ?? 0 <= 1 })
        #expect(try await sqlite(site, "SELECT id FROM bookings").sorted() == good.sorted())
        let letters = try await site.deadLetters()
        #expect(letters.map(\.id) == [deadly])
        #expect(letters.first?.class == .crash)
        #expect(letters.first?.receiveCount == 10)
        #expect(letters.first?.attempts.map(\.class) == Array(repeating: "CRASH", count: 10))
        #expect(try await site.attributes().committedTotal == 100)
        #expect(worker.isRunning)
        await front.stop()
        await worker.stop()
    }

    /// As the service manager does, at once.
    private func start(_ site: Site) throws -> RunningDaemon {
        try site.start("acms-workerd", ["ACMS_FAULT_APARTMENT": "deadly"])
    }

    /// Waits until all is settled or the worker has died.
    private func isDone(_ site: Site, _ worker: RunningDaemon) async throws -> Bool {
        var isDone = false
        try await eventually("the queue to be empty or the worker to die") {
            if !worker.isRunning { return true }
            let seen = try await site.attributes()
            isDone = seen.dead == 1 && seen.incoming + seen.active + seen.deferred == 0
            return isDone
        }
        return isDone
    }

    @Test(arguments: [
        ("acms-worker.service", "StartLimitIntervalSec=0"), ("acms-worker.path", "TriggerLimitIntervalSec=0"),
        ("acms-worker.service", "Restart=on-failure"),
    ])
    func noLimitOfTheServiceManagerEndsTheTries(unit: String, setting: String) throws {
        let units = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../systemd")
        let text = try String(contentsOf: units.appendingPathComponent(unit), encoding: .utf8)
        let key = setting.prefix { $0 != "=" }
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("\(key)=") } == [setting[...]])
    }
}
