import Bookings
import Support
import Testing
import Varlink

@Suite struct ExpiryTests {
    private func line(_ user: String, daysAgo days: Int, apartment: String = "A") -> String {
        let accepted = Timestamp.now().advanced(by: .seconds(-86_400 * days))
        return """
            {"acceptedOn":"\(accepted)","input":{"userId":"\(user)","apartmentId":"\(apartment)",\
            "startDate":"2026-01-01","endDate":"2026-01-05"}}

            """
    }

    @Test func bookingsThatNobodyDecidedForTheConfiguredDaysAreCancelled() async throws {
        let site = try Site(["ACMS_WORKER_PENDING_EXPIRES_AFTER_DAYS": "3"])
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        try site.drop("old", (line("old", daysAgo: 4) + line("young", daysAgo: 2)).utf8)
        let old = BookingID.derived(fileName: "old", line: 1).description
        let young = BookingID.derived(fileName: "old", line: 2).description
        try await eventually("the old one to expire") {
            try await site.list().first { $0.id == old }?.bookingStatus == .cancelled
        }
        let items = try await site.list()
        #expect(items.first { $0.id == young }?.bookingStatus == .pending)
        let expired = try #require(items.first { $0.id == old })
        #expect(expired.updatedOn > expired.createdOn)
        #expect(try site.log(of: "acms-workerd").contains("that nobody had decided for 3 days"))
        // Its user may book again.
        #expect(try await site.settled(try await site.book("old")).progress == .committed)
        await front.stop()
        await worker.stop()
    }

    @Test func aDecidedBookingNeverExpiresAndNoneDoesWithoutALimit() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let first = try await site.startWorker()
        try site.drop("old", (line("u", daysAgo: 400) + line("v", daysAgo: 400, apartment: "B")).utf8)
        let (approved, pending) = (
            BookingID.derived(fileName: "old", line: 1).description,
            BookingID.derived(fileName: "old", line: 2).description
        )
        try await site.committed([approved, pending])
        _ = try await site.approve(approved)
        #expect(try await site.list("B").map(\.bookingStatus) == [.pending])
        await first.stop()
        let worker = try await site.startWorker(["ACMS_WORKER_PENDING_EXPIRES_AFTER_DAYS": "1"])
        try await eventually("the pending one to expire") {
            try await site.list("B").map(\.bookingStatus) == [.cancelled]
        }
        #expect(try await site.list().map(\.bookingStatus) == [.approved])
        await front.stop()
        await worker.stop()
    }
}
