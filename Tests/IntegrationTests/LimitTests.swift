import Bookings
import Foundation
import Support
import Testing
import Varlink

@Suite struct LimitTests {
    private func full(_ results: [BookingsInterface.CreateResult]) -> Int {
        results.count { $0.error == BookingsInterface.QueueFull.errorName }
    }

    private func book(_ site: Site, _ users: [String], padding: Int = 0) async throws
        -> [BookingsInterface.CreateResult]
    {
        let pad = String(repeating: "x", count: padding)
        return try await site.bookings(
            "CreateApartmentBookings",
            BookingsInterface.CreateMany(inputs: users.map { site.input($0 + pad, "A" + pad) }),
            returning: BookingsInterface.CreatedMany.self
        ).results
    }

    private func bytes(_ site: Site) throws -> Int {
        let spool = "\(site.directory.path)/spool/incoming"
        return try FileManager.default.contentsOfDirectory(atPath: spool).reduce(0) { sum, name in
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(spool)/\(name)")
            return sum + (attributes[.size] as? Int ?? 0)
        }
    }

    @Test func noMoreMessagesWaitThanTheLimitAllows() async throws {
        let site = try Site(["ACMS_SPOOL_MAX_MESSAGES": "50"])
        var front = try await site.startFront()
        let ids = try await withThrowingTaskGroup(of: String?.self) { group in
            for number in 0..<64 {
                group.addTask {
                    do {
                        return try await site.book("u\(number)")
                    } catch ClientError.remote(let error) {
                        let full = try #require(error.decode(BookingsInterface.QueueFull.self))
                        #expect(full.reason.contains("spool.max-messages is 50"))
                        #expect((1...60).contains(full.retryAfterSeconds))
                        return nil
                    }
                }
            }
            return try await group.reduce(into: [String]()) { if let id = $1 { $0.append(id) } }
        }
        #expect(ids.count == 50)
        await front.stop()
        front = try await site.startFront()
        #expect(full(try await book(site, ["late"])) == 1, "a restart forgets nothing")
        #expect(try site.unfinishedFiles().isEmpty)
        let worker = try await site.startWorker()
        for id in ids { #expect(try await site.settled(id).progress == .committed) }
        try await eventually("room") { full(try await book(site, ["late"])) == 0 }
        let log = try site.log(of: "acms-frontd")
        // Once for each of the two front daemons.
        #expect(log.components(separatedBy: "The queue is full").count == 3)
        #expect(log.components(separatedBy: "The queue has room again").count == 2)
        await front.stop()
        await worker.stop()
    }

    @Test func partOfACallFitsAndTheRestIsRefused() async throws {
        let site = try Site(["ACMS_SPOOL_MAX_MESSAGES": "7"])
        let front = try await site.startFront()
        let results = try await book(site, (0..<10).map { "u\($0)" })
        #expect(results.map { $0.id != nil } == (0..<10).map { $0 < 7 })
        #expect(full(results) == 3)
        // What was there before is told first, whether or not there is room.
        let pending = try await refusal { try await site.book("u0") }
        #expect(pending?.name == BookingsInterface.PendingBookingExists.errorName)
        await front.stop()
    }

    @Test func aCallMayAskForTenThousandBookingsAndNoMore() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let users = (0...BookingsInterface.maximumInputs).map { "u\($0)" }
        let error = try #require(try await refusal { _ = try await book(site, users) })
        #expect(error.name == ServiceError.InvalidParameter.errorName)
        #expect(try await book(site, Array(users.dropLast())).allSatisfy { $0.id != nil })
        // Refused, too, are ten thousand with a reason each.
        let again = try await book(site, Array(users.dropLast()))
        #expect(again.allSatisfy { $0.error == BookingsInterface.PendingBookingExists.errorName })
        await front.stop()
    }

    @Test func limitsOnCallersComeFromTheConfigurationAndCanBeReloaded() async throws {
        let site = try Site()
        func configure(_ connections: Int) throws {
            try site.directory.write("server:\n  max-connections-per-uid: \(connections)\n", to: "acms.yaml")
        }
        try configure(1)
        let front = try site.start(
            "acms-frontd", arguments: ["--config", "\(site.directory.path)/acms.yaml"])
        // Whether somebody else is served while one connection is open, and was answered; nil when that one wasn't.
        func isSecondServed() async -> Bool? {
            try? await Client.withConnection(to: site.socket("Bookings")) { client in
                let unknown = BookingsInterface.ByID(id: "01a2061c-0da4-7ceb-90c9-d2dac1947e14")
                let method = BookingsInterface.method("GetBooking")
                _ = try await refusal {
                    try await client.call(method, unknown, returning: BookingsInterface.BookingState.self)
                }
                return (try? await site.book(UUID().uuidString)) != nil
            }
        }
        try await eventually("the limit") { await isSecondServed() == false }
        try await eventually("the reason") {
            try site.log(of: "acms-frontd").contains("server.max-connections-per-uid")
        }
        try configure(2)
        front.signal(SIGHUP)
        try await eventually("the new limit") { await isSecondServed() == true }
        await front.stop()
    }

    @Test func filesPutInByHandCountAndDeadLettersDoNot() async throws {
        let site = try Site(["ACMS_SPOOL_MAX_MESSAGES": "3"])
        let front = try await site.startFront()
        let lines = (0..<3).map {
            #"{"input":{"userId":"h\#($0)","apartmentId":"A","startDate":"2026-01-01","endDate":"2026-01-02"}}"#
        }
        try site.drop("by-hand", lines.joined(separator: "\n").utf8)
        #expect(full(try await book(site, ["u"])) == 1)
        let worker = try await site.startWorker()
        try site.drop("poison", Array(repeating: "nonsense", count: 5).joined(separator: "\n").utf8)
        try await eventually("the letters") { try await site.deadLetters().count == 5 }
        try await site.drained()
        #expect(try await book(site, ["u", "v", "w"]).allSatisfy { $0.id != nil })
        await front.stop()
        await worker.stop()
    }

    @Test func noMoreBytesWaitThanTheLimitAllows() async throws {
        let limit = 1 << 20
        let site = try Site(["ACMS_SPOOL_MAX_BYTES": "\(limit)"])
        let front = try await site.startFront()
        var refused = 0
        for call in 0..<25 {
            let results = try await book(site, (0..<100).map { "\(call)-\($0)-" }, padding: 230)
            refused += full(results)
            #expect(results.allSatisfy { $0.id != nil || $0.error == BookingsInterface.QueueFull.errorName })
            #expect(try bytes(site) <= limit)
        }
        #expect(refused > 0)
        // The bound of one message is less than a kilobyte and a half here.
        #expect(try bytes(site) > limit - 1500)
        await front.stop()
    }

    @Test func someOfTheDiskIsLeftFreeAndLimitsCanBeChangedWhileTheFrontRuns() async throws {
        let site = try Site()
        try site.directory.write("spool:\n  min-free-bytes: \(1 << 50)\n", to: "acms.yaml")
        let front = try site.start(
            "acms-frontd", arguments: ["--config", "\(site.directory.path)/acms.yaml"])
        try await site.reachable("Bookings")
        let results = try await book(site, ["u"])
        #expect(full(results) == 1)
        #expect(try site.directory.names(in: "spool/incoming").isEmpty)
        try site.directory.write("spool:\n  min-free-bytes: 0\n", to: "acms.yaml")
        front.signal(SIGHUP)
        try await eventually("the new limit") { full(try await book(site, ["u"])) == 0 }
        try site.directory.write("spool:\n  max-messages: 1\n", to: "acms.yaml")
        front.signal(SIGHUP)
        // Each time somebody else: one who was accepted before the limit came is told of that, full or not.
        try await eventually("the next limit") {
            full(try await book(site, [UUID().uuidString])) == 1
        }
        try site.directory.write("spool:\n  max-messages: none\n", to: "acms.yaml")
        front.signal(SIGHUP)
        try await eventually("the reason") {
            try site.log(of: "acms-frontd").contains("spool.max-messages: must be an integer, is none")
        }
        #expect(full(try await book(site, ["never"])) == 1)
        await front.stop()
    }
}
