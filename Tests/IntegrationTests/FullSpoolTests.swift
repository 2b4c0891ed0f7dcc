import Bookings
import Foundation
import Support
import Testing
import Varlink

/// A spool whose disk has not a byte left.
@Suite(.enabled("mounting a disk takes root") { geteuid() == 0 }) struct FullSpoolTests {
    /// More than fit into what is given back by the good one.
    private let poison = (0..<60).map {
        #"{"input":{"userId":"p\#($0)","apartmentId":"A","startDate":"2022-02-30","endDate":"2022-03-05"}}"#
    }

    @Test func whatIsPoisonIsStillSetAsideAndLettersCanBeWorked() async throws {
        let volume = try await LoopVolume(mebibytes: 24)
        let site = try Site([
            "ACMS_SPOOL_DIRECTORY": "\(volume.path)/spool", "ACMS_SPOOL_MIN_FREE_BYTES": "\(1 << 20)",
        ])
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        try await site.pause()
        let good = try await site.book("u")
        try Data(poison.joined(separator: "\n").utf8).write(
            to: URL(fileURLWithPath: "\(volume.path)/spool/tmp/poison"))
        #expect(rename("\(volume.path)/spool/tmp/poison", "\(volume.path)/spool/incoming/poison") == 0)
        try volume.setFull(true)
        let full = try await refusal { try await site.book("v") }
        #expect(
            full?.decode(BookingsInterface.QueueFull.self)?.reason.contains("spool.min-free-bytes") == true)

        // The reserve makes room for the letters.
        try await site.resume()
        #expect(try await site.settled(good).progress == .committed)
        try await eventually("the letters") { try await site.deadLetters().count == poison.count }
        try await site.drained()
        #expect(!FileManager.default.fileExists(atPath: "\(volume.path)/spool/reserve"))

        // Without it, deleting needs no room, and a redrive that finds none changes nothing.
        try volume.setFull(true)
        let ids = (1...poison.count).map { BookingID.derived(fileName: "poison", line: $0).description }
        let mended = CreateBookingInput(
            userId: "p1", apartmentId: "A", startDate: "2022-03-01", endDate: "2022-03-05")
        let failed = try await site.redrive(.init(ids: [ids[1]], input: mended)).failed
        #expect(failed.map(\.error) == [QueueInterface.StorageUnavailable.errorName])
        #expect(failed.first?.reason.contains("No space left on device") == true)
        #expect(try await site.attributes().dead == poison.count)
        #expect(try await site.delete(.init(ids: [ids[0]])) == .init(deleted: [ids[0]], failed: []))
        #expect(try await site.deadLetters().count == poison.count - 1)

        try volume.setFull(false)
        #expect(try await site.redrive(.init(ids: [ids[1]], input: mended)).redriven == [ids[1]])
        #expect(try await site.settled(ids[1]).progress == .committed)
        #expect(try await site.settled(try await site.book("v")).progress == .committed)
        #expect(
            FileManager.default.fileExists(atPath: "\(volume.path)/spool/reserve"), "the reserve is back")
        await front.stop()
        await worker.stop()
    }

    @Test func whereNothingIsToBeLeftFreeAFullDiskIsTroubleWithTheStorage() async throws {
        let volume = try await LoopVolume(mebibytes: 24)
        let site = try Site([
            "ACMS_SPOOL_DIRECTORY": "\(volume.path)/spool", "ACMS_SPOOL_MIN_FREE_BYTES": "0",
        ])
        let front = try await site.startFront()
        let id = try await site.book("u")
        try volume.setFull(true)
        for _ in 0..<3 {
            let full = try await refusal { try await site.book("v") }
            let reason = try #require(full?.decode(BookingsInterface.StorageUnavailable.self)).reason
            #expect(reason.contains("No space left on device"))
        }
        for place in ["tmp", "incoming"] {
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(volume.path)/spool/\(place)")
            #expect(
                names.filter { !Site.lasting.contains($0) } == (place == "tmp" ? [] : ["\(id).1.jsonl"]))
        }
        #expect(try site.log(of: "acms-frontd").components(separatedBy: " error: ").count == 2)
        try volume.setFull(false)
        #expect(try await site.progress(of: try await site.book("v")) == .queued)
        await front.stop()
    }
}
