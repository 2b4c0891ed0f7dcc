import Bookings
import Foundation
import Support
import Testing
import Varlink

/// What operators can see of both daemons.
@Suite struct ObservationTests {
    private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private func metrics(_ site: Site) async throws -> [Metric] {
        let reply: MetricsReply = try await site.bookings("GetMetrics", NoParameters())
        return reply.metrics
    }

    private func value(_ metrics: [Metric], _ name: String, _ labels: [String: String] = [:]) -> Double? {
        metrics.first { $0.name == name }?.samples.first { $0.labels.merging(labels) { $1 } == $0.labels }?
            .value
    }

    @Test func `the front tells how the queue is, whether a worker runs or not`() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let ids = try await site.books(["a", "b", "a"])
        #expect(ids.count == 2)
        var seen = try await metrics(site)
        #expect(value(seen, "acms_worker_running") == 0)
        #expect(value(seen, "acms_bookings_accepted") == 2)
        #expect(value(seen, "acms_bookings_refused", ["error": "PendingBookingExists"]) == 1)
        #expect(value(seen, "acms_queue_messages", ["place": "incoming"]) == 2)
        #expect(value(seen, "acms_queue_bytes").map { $0 > 100 } == true)
        #expect(value(seen, "acms_connections", ["daemon": "front"]) == 1)
        let worker = try await site.startWorker()
        try await site.committed(ids)
        seen = try await metrics(site)
        #expect(value(seen, "acms_worker_running") == 1)
        #expect(value(seen, "acms_bookings_committed") == 2)
        #expect(value(seen, "acms_queue_messages", ["place": "incoming"]) == 0)
        #expect(value(seen, "acms_queue_paused") == 0)
        try await site.pause()
        #expect(value(try await metrics(site), "acms_queue_paused") == 1)
        let reply: MetricsReply = try await site.queue("GetMetrics", NoParameters())
        let latency = reply.metrics.first { $0.name == "acms_commit_latency_seconds" }?.samples.first?.buckets
        #expect(latency?.reduce(0) { $0 + $1.count } == 2)
        await worker.stop()
        #expect(value(try await metrics(site), "acms_worker_running") == 0)
        await front.stop()
    }

    @Test func `who watches is told what happens, in order, until the daemon stops`() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let watching = try await Client.withConnection(to: site.socket("Queue")) { client in
            var seen: [BookingEvent] = []
            var isFirst = true
            let filter = EventFilter(userId: "u")
            for try await reply in client.stream(
                QueueInterface.method("WatchEvents"), filter, returning: EventsReply.self)
            {
                seen += reply.events
                if isFirst {
                    isFirst = false
                    let id = try await site.book("u")
                    _ = try await site.book("other")
                    _ = try await site.settled(id)
                    _ = try await site.approve(id)
                }
                if seen.count == 2 { await worker.stop() }
            }
            return seen
        }
        #expect(watching.map(\.kind) == [.committed, .approved])
        #expect(watching.allSatisfy { $0.userId == "u" && $0.id == watching[0].id && $0.apartmentId == "A" })
        await front.stop()
    }

    @Test func `watching without more is refused`() async throws {
        let site = try Site()
        let front = try await site.startFront()
        await #expect {
            let _: EventsReply = try await site.bookings("WatchEvents", EventFilter())
        } throws: {
            guard case ClientError.remote(let error) = $0 else { return false }
            return error.name == "org.varlink.service.ExpectedMore"
        }
        await front.stop()
    }

    @Test func `messages that wait are listed page by page and all at once, and counted by age`() async throws
    {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        try await site.pause()
        var ids: [String] = []
        for part in 0..<5 { ids += try await site.books((0..<7).map { "u\(part).\($0)" }, "A\(part % 2)") }
        var listed: [String] = []
        var token: String?
        repeat {
            let page: QueueInterface.MessageList = try await site.queue(
                "ListMessages", QueueInterface.ListMessages(limit: 3, nextToken: token))
            #expect(page.items.count <= 3)
            listed += page.items.map(\.id)
            token = page.nextToken
        } while token != nil
        #expect(listed == ids)
        let streamed = try await Client.withConnection(to: site.socket("Queue")) { client in
            var all: [QueueInterface.QueuedMessage] = []
            for try await page in client.stream(
                QueueInterface.method("ListMessages"), QueueInterface.ListMessages(limit: 4),
                returning: QueueInterface.MessageList.self)
            {
                all += page.items
            }
            return all
        }
        #expect(streamed.map(\.id) == ids)
        #expect(streamed.allSatisfy { $0.place == .incoming && $0.receiveCount == 0 })
        let profile: QueueInterface.AgeProfile = try await site.queue(
            "GetAgeProfile", QueueInterface.GetAgeProfile(by: .apartment))
        #expect(profile.total.total == 35)
        #expect(profile.rows.map(\.name) == ["A0", "A1"] && profile.rows.map(\.total) == [21, 14])
        await worker.stop()
        await front.stop()
    }

    @Test(arguments: ["x", "incoming/1", "dead/0/f", "incoming/-1/f", "incoming/a/f", "incoming/0/"])
    func `a token that no page gave is refused`(_ token: String) async throws {
        let site = try Site()
        let worker = try await site.startWorker()
        await #expect {
            let _: QueueInterface.MessageList = try await site.queue(
                "ListMessages", QueueInterface.ListMessages(nextToken: token))
        } throws: {
            guard case ClientError.remote(let error) = $0 else { return false }
            return error.name == "org.varlink.service.InvalidParameter"
        }
        await worker.stop()
    }

    @Test func `both daemons log the trace that a booking belongs to`() async throws {
        let site = try Site()
        let front = try await site.startFront()
        var input = site.input("u")
        input.traceparent = Self.trace
        let created: BookingsInterface.Created = try await site.bookings(
            "CreateApartmentBooking", BookingsInterface.Create(input: input))
        let others: BookingsInterface.CreatedMany = try await site.bookings(
            "CreateApartmentBookings",
            BookingsInterface.CreateMany(inputs: [site.input("v"), site.input("w")], traceparent: Self.trace))
        let worker = try await site.startWorker()
        try await site.committed([created.id] + others.results.compactMap(\.id))
        let id = "0af7651916cd43dd8448eb211c80319c"
        #expect(try site.log(of: "acms-frontd").contains("trace-id=\(id)"))
        for daemon in ["acms-frontd", "acms-workerd"] {
            #expect(try site.log(of: daemon).components(separatedBy: id).count == 4, "\(daemon)")
        }
        await worker.stop()
        await front.stop()
    }

    @Test func `all bookings are listed in the order of their ids`() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let ids = try await site.books((0..<25).map { "u\($0)" })
        try await site.committed(ids)
        _ = try await site.approve(ids[3])
        var listed: [String] = []
        var token: String?
        repeat {
            let page: BookingsInterface.BookingList = try await site.bookings(
                "GetAllBookings", BookingsInterface.ListAll(limit: 10, nextToken: token))
            listed += page.items.map(\.id)
            token = page.nextToken
        } while token != nil
        #expect(listed == ids)
        let approved: BookingsInterface.BookingList = try await site.bookings(
            "GetAllBookings", BookingsInterface.ListAll(bookingStatus: .approved))
        #expect(approved.items.map(\.id).contains(ids[3]) && approved.nextToken == nil)
        await worker.stop()
        await front.stop()
    }
}
