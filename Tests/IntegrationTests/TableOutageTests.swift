import Bookings
import Foundation
import Support
import Testing
import Varlink

/// The table fails as a whole while 10,000 bookings wait and more arrive: nobody is charged for it.
@Suite struct TableOutageTests {
    @Test(.timeLimit(.minutes(2)), arguments: TableOutage.Kind.allCases.filter { !$0.needsVolume })
    func anOutageChargesNobodyAndAllAreCommittedOnceAfterIt(kind: TableOutage.Kind) async throws {
        try await outlive(kind)
    }

    @Test(
        .enabled(if: getuid() == 0, "Only root can mount the small file system that this needs."),
        .timeLimit(.minutes(2)), arguments: TableOutage.Kind.allCases.filter(\.needsVolume))
    func anOutageOfTheTablesFileSystemChargesNobodyAndAllAreCommittedOnceAfterIt(
        kind: TableOutage.Kind
    ) async throws {
        try await outlive(kind)
    }

    private func outlive(_ kind: TableOutage.Kind) async throws {
        let outage = try await TableOutage(kind)
        let site = outage.site
        var front = try await site.startFront(outage.environment)
        var worker = try await site.startWorker(outage.environment)
        // Bookings are taken before a worker has made the table, but not while it makes it.
        try await eventually("the table") { try await site.attributes().tableAvailable }
        let begin = ContinuousClock.now
        var ids = [try await site.book("first")]
        _ = try await site.settled(ids[0])
        try await site.pause()
        for hundred in 0..<100 { ids += try await site.books((0..<100).map { "u\(hundred)-\($0)" }) }
        try #require(ids.count == 10_001)

        if kind.needsClosedFiles {
            await worker.stop()
            await front.stop()
        }
        try await outage.begin()
        if kind.needsClosedFiles {
            front = try await site.startFront(outage.environment)
            worker = try await site.startWorker(outage.environment)
        }
        let queued = ContinuousClock.now
        try await site.resume()
        try await eventually("the worker to tell of the table") {
            try await !site.attributes().tableAvailable
        }
        ids += try await arrive(site, kind)
        // Long enough for several tries.
        try await throughout(.seconds(2)) {
            let seen = try await site.attributes()
            try #require(!seen.tableAvailable)
            try #require(seen.tableError?.contains(site.tablePath) == true)
            try #require(seen.deferred == 0 && seen.dead == 0)
        }
        try await nobodyIsCharged(site, ids)
        try isTold(site, outages: 1, recoveries: 0)

        try await outage.end()
        let mended = ContinuousClock.now
        for id in ids.suffix(100) { #expect(try await site.settled(id).progress == .committed) }
        try await site.drained()
        let end = ContinuousClock.now
        #expect(try await sqlite(site, "SELECT id FROM bookings").sorted() == ids.sorted())
        let seen = try await site.attributes()
        #expect(seen.tableAvailable && seen.committedTotal == ids.count && seen.dead == 0)
        try isTold(site, outages: 1, recoveries: 1)
        #expect(front.isRunning && worker.isRunning)
        #expect(await worker.stop() == 0)
        #expect(await front.stop() == 0)
        print("\(kind): queued in \(queued - begin), committed in \(end - mended)")
    }

    /// A hundred more come while the table can't be used.
    private func arrive(_ site: Site, _ kind: TableOutage.Kind) async throws -> [String] {
        if kind.isReadable {
            let accepted = try await site.books((0..<100).map { "late\($0)" })
            #expect(accepted.count == 100)
            return accepted
        }
        let refusal = try await refusal { try await site.book("late") }
        let reason = refusal?.decode(BookingsInterface.StorageUnavailable.self)?.reason
        #expect(reason?.contains(site.tablePath) == true)
        let line =
            #"{"input":{"userId":"U","apartmentId":"A","startDate":"2026-01-01","endDate":"2026-01-02"}}"#
        let lines = (0..<100).map { line.replacing("\"U\"", with: "\"late\($0)\"") }
        try site.drop("late", lines.joined(separator: "\n").utf8)
        return (1...100).map { BookingID.derived(fileName: "late", line: $0).description }
    }

    /// Each message waits as it was accepted, or was committed before the outage.
    private func nobodyIsCharged(_ site: Site, _ ids: [String]) async throws {
        var lines: [Site.QueuedLine] = []
        try await eventually("each message to be seen") {
            lines = try site.queuedLines()
            return lines.count >= ids.count - 1
        }
        // Lines that were written by hand have no id and no count.
        #expect(lines.count { ($0.receiveCount ?? 0) > 0 } == 0)
        #expect(Set(lines.compactMap(\.id)).isSubset(of: ids))
    }

    /// The worker's log lines that tell of an outage and of a recovery, as often as each should.
    private func isTold(_ site: Site, outages: Int, recoveries: Int) throws {
        let lines = try site.log(of: "acms-workerd").split(separator: "\n")
        let down = lines.filter { $0.contains(" error: The table ") }
        let up = lines.filter { $0.contains("The table can be written again.") }
        #expect(
            down.count == outages && up.count == recoveries,
            "\(down.count) outages and \(up.count) recoveries:\n\((down + up).prefix(6).joined(separator: "\n"))"
        )
    }
}
