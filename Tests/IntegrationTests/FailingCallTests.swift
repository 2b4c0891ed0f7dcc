import Bookings
import Foundation
import Support
import Testing
import Varlink

/// A disk that fails once while a daemon starts, and is well again: the daemon has to go on by itself.
@Suite struct FailingCallTests {
    private let site: Site

    init() throws {
        site = try Site()
    }

    /// What makes one call fail with EIO.
    private func fault(_ call: String, _ file: String, at number: Int) -> [String: String] {
        [
            "LD_PRELOAD": Site.products.appendingPathComponent("libDiskFaults.so").path,
            "DISK_FAULT_PATH": "\(site.directory.path)/",
            "DISK_FAULT_CALL": call, "DISK_FAULT_FILE": "*/\(file)", "DISK_FAULT_AT": "\(number)",
            "DISK_FAULT_RECORD": "\(site.directory.path)/calls",
        ]
    }

    private func hasFailed() throws -> Bool {
        try site.directory.read("calls").split(separator: "\n").contains { $0.hasPrefix("!") }
    }

    @Test func aDirectoryThatCouldNotBeMadeIsMadeWithoutAWorker() async throws {
        let front = try await site.startFront(fault("mkdir", "spool/deferred", at: 1))
        try await eventually("a booking") { try await refusal { try await site.book("u") } == nil }
        #expect(try hasFailed())
        #expect(await front.stop() == 0)
    }

    @Test(arguments: 1...4)
    func whatOnlyTheJournalHoldsIsKnownBeforeAnythingIsJudged(number: Int) async throws {
        let first = try await site.startFront()
        let id = try await site.book("u")
        await first.kill9()
        // As a power cut leaves it.
        for name in try site.directory.names(in: "spool/incoming") {
            try FileManager.default.removeItem(atPath: "\(site.directory.path)/spool/incoming/\(name)")
        }
        // The replay lists this directory, and the index does.
        let second = try await site.startFront(fault("readdir", "spool/incoming", at: number))
        try await eventually("an answer other than StorageUnavailable") {
            let error = try await refusal { try await site.book("u") }
            #expect(error != nil, "the same user was accepted twice for the apartment")
            return error?.name.hasSuffix("PendingBookingExists") ?? true
        }
        #expect(try await site.progress(of: id) == .queued)
        #expect(try hasFailed())
        #expect(await second.stop() == 0)
    }

    /// SQLite takes a failed read for damage of the file.
    @Test(arguments: [("acms.sqlite", 1), ("acms.sqlite", 2)] + (1...4).map { ("acms.sqlite-wal", $0) })
    func aTableThatCouldNotBeReadOnceIsNoDamagedTable(file: String, number: Int) async throws {
        let first = try await site.startFront()
        let earlier = try await site.startWorker()
        let committed = try await site.book("u")
        try await site.committed([committed])
        await earlier.kill9()
        let id = try await site.book("v")
        let worker = try await site.startWorker(fault("pread", "table/\(file)", at: number))
        try await site.committed([id])
        #expect(try hasFailed())
        #expect(await worker.stop() == 0)
        #expect(await first.stop() == 0)
    }
}
