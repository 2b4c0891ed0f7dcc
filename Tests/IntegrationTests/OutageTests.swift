import Bookings
import Foundation
import Support
import Testing
import Varlink

@Suite struct OutageTests {
    @Test func aTableThatCanNotBeReachedIsHeldOutWithoutChargingAnyone() async throws {
        let site = try Site()
        let table = "\(site.directory.path)/table"
        try FileManager.default.moveItem(atPath: table, toPath: table + ".away")
        try Data().write(to: URL(fileURLWithPath: table))
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let error = try #require(try await refusal { try await site.book("u") })
        #expect(error.name == BookingsInterface.StorageUnavailable.errorName)
        #expect(
            error.decode(BookingsInterface.StorageUnavailable.self)?.reason.contains(site.tablePath) == true)
        try site.drop(
            "by-hand",
            #"{"input":{"userId":"h","apartmentId":"A","startDate":"2026-01-01","endDate":"2026-01-02"}}"#
                .utf8)
        try await eventually("the worker to tell of the table") {
            try await site.attributes().tableError?.contains(site.tablePath) == true
        }
        _ = try await refusal { try await site.book("u") }
        try FileManager.default.removeItem(atPath: table)
        try FileManager.default.moveItem(atPath: table + ".away", toPath: table)
        try await site.drained()
        let id = try await site.book("u")
        #expect(try await site.settled(id).progress == .committed)
        #expect(try await site.attributes().dead == 0)
        #expect(try await site.list().count == 2)
        for program in ["acms-frontd", "acms-workerd"] {
            let log = try site.log(of: program)
            #expect(
                log.components(separatedBy: "can't be reached").count == 2,
                "\(program) tells of an outage once")
        }
        await front.stop()
        await worker.stop()
    }

    @Test func aTableThatWasNeverCreatedIsSaidToBeMissingAndBookingsAreTakenAllTheSame() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let error = try #require(try await refusal { try await site.list() })
        #expect(
            error.decode(BookingsInterface.StorageUnavailable.self)?.reason.contains(
                "has not been created yet") == true)
        #expect(try site.log(of: "acms-frontd").contains("has not been created yet"))
        let id = try await site.book("u")
        #expect(try await site.progress(of: id) == .queued)
        let worker = try await site.startWorker()
        #expect(try await site.settled(id).progress == .committed)
        #expect(try await site.list().map(\.id) == [id])
        await front.stop()
        await worker.stop()
    }

    @Test func aTableThatIsGoneRefusesBookingsUntilItIsBack() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let id = try await site.book("u")
        _ = try await site.settled(id)
        await worker.stop()
        let table = "\(site.directory.path)/table"
        try FileManager.default.moveItem(atPath: table, toPath: table + ".away")
        try FileManager.default.createDirectory(atPath: table, withIntermediateDirectories: false)
        let error = try #require(try await refusal { try await site.book("u") })
        #expect(error.decode(BookingsInterface.StorageUnavailable.self)?.reason.contains("is gone") == true)
        try FileManager.default.removeItem(atPath: table)
        try FileManager.default.moveItem(atPath: table + ".away", toPath: table)
        #expect(
            try await refusal { try await site.book("u") }?.decode(
                BookingsInterface.PendingBookingExists.self)
                == .init(bookingId: id, progress: .committed))
        await front.stop()
    }

    @Test func aSpoolThatCanNotBeUsedRefusesBookingsAndIsUsedAgainOnceItIsBack() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let first = try await site.book("u")
        _ = try await site.settled(first)
        let spool = "\(site.directory.path)/spool"
        try FileManager.default.moveItem(atPath: spool, toPath: spool + ".away")
        try Data().write(to: URL(fileURLWithPath: spool))
        var told: [Int] = []
        for _ in 0..<3 {
            let error = try #require(try await refusal { try await site.book("v") })
            let reason = try #require(error.decode(BookingsInterface.StorageUnavailable.self)).reason
            #expect(reason.contains(spool))
            told.append(try site.log(of: "acms-frontd").components(separatedBy: "The spool can't be").count)
        }
        // The state is told when it changes, not at each call.
        #expect(told[0] > 1)
        #expect(Set(told).count == 1)
        try FileManager.default.removeItem(atPath: spool)
        try FileManager.default.moveItem(atPath: spool + ".away", toPath: spool)
        let second = try await site.book("v")
        #expect(try await site.settled(second).progress == .committed)
        let log = try site.log(of: "acms-frontd")
        #expect(log.components(separatedBy: "The spool can be read again.").count == 2)
        await front.stop()
        await worker.stop()
    }
}
