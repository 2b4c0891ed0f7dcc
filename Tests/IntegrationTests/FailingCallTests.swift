import Bookings
import Foundation
import Support
import Testing
import Varlink

/// A disk that fails once while a front starts, and is well again: the front has to go on by itself.
@Suite struct FailingCallTests {
    private let site: Site

    init() throws {
        site = try Site()
    }

    /// What makes one call fail with EIO.
    private func fault(_ call: String, _ file: String, at number: Int) -> [String: String] {
        [
            "LD_PRELOAD": Site.products.appendingPathComponent("libDiskFaults.so").path,
            "DISK_FAULT_PATH": "\(site.directory.path)/spool/",
            "DISK_FAULT_CALL": call, "DISK_FAULT_FILE": "*/spool/\(file)", "DISK_FAULT_AT": "\(number)",
            "DISK_FAULT_RECORD": "\(site.directory.path)/calls",
        ]
    }

    private func hasFailed() throws -> Bool {
        try site.directory.read("calls").split(separator: "\n").contains { $0.hasPrefix("!") }
    }

    @Test func aDirectoryThatCouldNotBeMadeIsMadeWithoutAWorker() async throws {
        let front = try await site.startFront(fault("mkdir", "deferred", at: 1))
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
        let second = try await site.startFront(fault("readdir", "incoming", at: number))
        try await eventually("an answer other than StorageUnavailable") {
            let error = try await refusal { try await site.book("u") }
            #expect(error != nil, "the same user was accepted twice for the apartment")
            return error?.name.hasSuffix("PendingBookingExists") ?? true
        }
        #expect(try await site.progress(of: id) == .queued)
        #expect(try hasFailed())
        #expect(await second.stop() == 0)
    }
}
