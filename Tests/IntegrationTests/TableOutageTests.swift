import Bookings
import Foundation
import Support
import Testing
import Varlink

/// Every kind of trouble with the table as a whole, with ten thousand bookings waiting.
@Suite(.enabled(if: LoopDisk.isPossible, "mounting a disk takes root")) struct TableOutageTests {
    enum Kind: CaseIterable {
        case locked, full, inputOutput, cannotOpen, readOnly
    }

    @Test(arguments: Kind.allCases)
    func nobodyIsChargedAndAllIsCommittedOnceItIsOver(kind: Kind) async throws {
        let site = try Site()
        let disk = try await LoopDisk(
            at: "\(site.directory.path)/table", image: "\(site.directory.path)/image", megabytes: 24)
        let trigger = "\(site.directory.path)/trigger"
        let preload = [
            "LD_PRELOAD": Site.products.appendingPathComponent("libDiskFaults.so").path,
            "DISK_FAULT_PATH": "acms.sqlite", "DISK_FAULT_WHILE": trigger,
        ]
        var front = try await site.startFront()
        var worker = try await site.startWorker(preload)
        let first = try await site.book("first")
        try await site.committed([first])
        try await site.pause()
        var ids: Set<String> = [first]
        for call in 0..<100 { ids.formUnion(try await site.books((0..<100).map { "\(call)-\($0)" })) }
        #expect(ids.count == 10_001)

        let outage = Outage(kind, site, disk, trigger)
        if kind == .readOnly {
            // A file system can't be made read-only while a file on it is open for writing.
            await worker.stop()
            await front.stop()
            try await outage.begin()
            front = try await site.startFront()
            worker = try await site.startWorker(preload)
        } else {
            try await outage.begin()
        }
        try await site.resume()
        try await eventually("the worker to tell of the table") {
            try await site.attributes().tableError?.contains(site.tablePath) ?? false
        }
        let late = (0..<200).map { "late-\($0)" }
        if kind == .cannotOpen {
            let refused = try await refusal { try await site.book("refused") }
            #expect(refused?.name == BookingsInterface.StorageUnavailable.errorName)
        } else {
            ids.formUnion(try await site.books(late))
            #expect(ids.count == 10_201)
        }
        // Several probes, so that one that charges or tells too much is seen.
        try await Task.sleep(for: .seconds(1.5))
        let attributes = try await site.attributes()
        #expect(!attributes.tableAvailable)
        #expect(attributes.dead == 0)
        #expect(attributes.deferred == 0)
        #expect(try receiveCounts(site) == [0])
        try await outage.end()
        // Ids are in the order of acceptance, and so is committing.
        #expect(try await site.settled(try #require(ids.max())).progress == .committed)
        try await site.drained()
        let after = try await site.attributes()
        #expect(after.tableAvailable)
        #expect(after.dead == 0)
        #expect(after.deadLetteredTotal == 0)
        #expect(after.committedTotal == ids.count)
        #expect(try await committedIDs(site) == ids)
        let log = try site.log(of: "acms-workerd")
        let told = log.split(separator: "\n").filter { $0.contains(" error: ") }
        #expect(told.count == 1, "an outage is told once: \(told)")
        #expect(log.components(separatedBy: "The table can be written again").count == 2)
        #expect(front.isRunning && worker.isRunning)
        await front.stop()
        await worker.stop()
    }

    /// The different receive counts of the messages that wait.
    private func receiveCounts(_ site: Site) throws -> Set<Int> {
        struct Line: Decodable {
            let receiveCount: Int
        }
        var counts: Set<Int> = []
        for place in ["incoming", "active"] {
            for name in try site.directory.names(in: "spool/\(place)") {
                for line in try site.directory.read("spool/\(place)/\(name)").split(separator: "\n") {
                    counts.insert(try JSONDecoder().decode(Line.self, from: Data(line.utf8)).receiveCount)
                }
            }
        }
        return counts
    }

    private func committedIDs(_ site: Site) async throws -> Set<String> {
        let rows = try await sqliteOutput(site, "SELECT id FROM bookings")
        let ids = Set(rows.split(separator: "\n").map(String.init))
        #expect(rows.split(separator: "\n").count == ids.count)
        return ids
    }
}

/// One trouble with the table, from its beginning to its end.
private final class Outage {
    private let kind: TableOutageTests.Kind
    private let site: Site
    private let disk: LoopDisk
    private let trigger: String
    private var locker: ChildProcess?

    init(_ kind: TableOutageTests.Kind, _ site: Site, _ disk: LoopDisk, _ trigger: String) {
        self.kind = kind
        self.site = site
        self.disk = disk
        self.trigger = trigger
    }

    func begin() async throws {
        switch kind {
        case .locked:
            let program = """
                import sqlite3, sys, time
                table = sqlite3.connect(sys.argv[1], isolation_level=None)
                table.execute("BEGIN EXCLUSIVE")
                open(sys.argv[2], "w").close()
                time.sleep(600)
                """
            locker = try ChildProcess(
                ["/usr/bin/python3", "-c", program, site.tablePath, "\(disk.path)/locked"],
                environment: [:], output: 2, errors: 2)
            let sign = "\(disk.path)/locked"
            try await eventually("the lock") { FileManager.default.fileExists(atPath: sign) }
        case .full: try disk.fill()
        case .inputOutput: try Data().write(to: URL(fileURLWithPath: trigger))
        case .cannotOpen:
            // Mount points can't be moved, their contents can.
            for name in ["", "-wal", "-shm"] {
                try FileManager.default.moveItem(
                    atPath: site.tablePath + name, toPath: "\(disk.path)/away\(name)")
            }
            try FileManager.default.createDirectory(
                atPath: site.tablePath, withIntermediateDirectories: false)
        case .readOnly: try await disk.remount(readOnly: true)
        }
    }

    func end() async throws {
        switch kind {
        case .locked:
            locker?.signal(SIGKILL)
            _ = await locker?.end()
        case .full: try disk.empty()
        case .inputOutput: try FileManager.default.removeItem(atPath: trigger)
        case .cannotOpen:
            try FileManager.default.removeItem(atPath: site.tablePath)
            for name in ["-shm", "-wal", ""] {
                try FileManager.default.moveItem(
                    atPath: "\(disk.path)/away\(name)", toPath: site.tablePath + name)
            }
        case .readOnly: try await disk.remount(readOnly: false)
        }
    }
}
