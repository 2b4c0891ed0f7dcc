import Bookings
import Foundation
import Support
import Testing
import Varlink

/// Several hosts with one PostgreSQL database: each has its own daemons, spool and sockets.
@Suite struct SharedHostsTests {
    private static func hosts(
        _ count: Int, on server: PostgresServer, _ more: [String: String] = [:]
    ) throws -> [Site] {
        var environment = [
            "ACMS_ENGINE": "postgres", "ACMS_POSTGRES_URL": server.url,
            "ACMS_POSTGRES_SCHEMA": server.freshSchema(),
        ]
        environment.merge(more) { $1 }
        return try (0..<count).map { _ in try Site(environment) }
    }

    @Test func `what one host accepts another commits, and each sees it all`() async throws {
        let hosts = try Self.hosts(2, on: .shared())
        let front = try await hosts[0].startFront()
        let worker = try await hosts[1].startWorker()
        let id = try await hosts[0].book("alice")
        #expect(try await hosts[0].settled(id).progress == .committed)
        let otherFront = try await hosts[1].startFront()
        #expect(try await hosts[1].progress(of: id) == .committed)
        let refusal = try await refusal { try await hosts[1].book("alice") }
        #expect(refusal?.decode(BookingsInterface.PendingBookingExists.self)?.bookingId == id)
        _ = try await hosts[1].approve(id)
        #expect(try await hosts[0].list().map(\.bookingStatus) == [.approved])
        await front.stop()
        await otherFront.stop()
        await worker.stop()
    }

    @Test
    func `a file in a host's spool is forwarded, and what can't be committed becomes a dead letter for all`()
        async throws
    {
        let hosts = try Self.hosts(2, on: .shared())
        let first = try await hosts[0].startWorker()
        let second = try await hosts[1].startWorker()
        try hosts[0].drop(
            "good.jsonl",
            #"{"input":{"userId":"u","apartmentId":"A","startDate":"2026-12-01","endDate":"2026-12-02"}}"#
                .utf8)
        try hosts[0].drop(
            "same.jsonl",
            #"{"input":{"userId":"u","apartmentId":"A","startDate":"2027-12-01","endDate":"2027-12-02"}}"#
                .utf8)
        try hosts[0].drop("bad.jsonl", "\u{1}no JSON".utf8)
        try await eventually("all to be settled") {
            let attributes = try await hosts[1].attributes()
            return attributes.committedTotal == 1 && attributes.dead == 2
        }
        let letters = try await hosts[1].queue(
            "ListDeadLetters", QueueInterface.ListDeadLetters(), returning: QueueInterface.DeadLetterList.self
        ).items
        let bad = try #require(letters.first { $0.userId == nil })
        #expect(
            bad.reason == "The line is not JSON."
                && Data(base64Encoded: bad.body) == Data("\u{1}no JSON".utf8))
        #expect(letters.contains { $0.userId == "u" && $0.reason.contains("accepted first") })
        try await eventually("the log to tell") {
            try hosts[0].log(of: "acms-workerd").contains(
                "Set a message aside as a dead letter: The line is not JSON.")
        }
        await first.stop()
        await second.stop()
    }

    @Test func `several workers of one host share the work, and one of them forwards the spool`() async throws
    {
        let host = try Self.hosts(1, on: .shared())[0]
        let front = try await host.startFront()
        let first = try await host.startWorker()
        try await eventually("the first to have the spool") {
            FileManager.default.fileExists(atPath: "\(host.directory.path)/spool/lock")
        }
        let second = try host.start(
            "acms-workerd",
            [
                "ACMS_SOCKET_QUEUE": host.socket("OtherQueue"),
                "ACMS_SOCKET_CARETAKER": host.socket("OtherCaretaker"),
            ])
        try await eventually("the second to listen") {
            FileManager.default.fileExists(atPath: host.socket("OtherQueue"))
        }
        try await host.committed(try await host.books((0..<200).map { "u\($0)" }))
        await first.kill9()
        let line =
            #"{"input":{"userId":"x","apartmentId":"A","startDate":"2026-12-01","endDate":"2026-12-02"}}"#
        try host.drop("late.jsonl", line.utf8)
        try await eventually("the second to forward it") { try await host.list().count == 201 }
        await second.stop()
        await front.stop()
    }

    @Test func `while the database is away bookings are refused at once, and it goes on by itself`()
        async throws
    {
        let server = try PostgresServer(options: ["synchronous_commit=on"])
        let hosts = try Self.hosts(1, on: server)
        let front = try await hosts[0].startFront()
        let worker = try await hosts[0].startWorker()
        _ = try await hosts[0].settled(try await hosts[0].book("before"))
        try await server.stop()
        // The first may have to learn that the connection is gone; what was under way then is waited for.
        _ = try? await hosts[0].book("first")
        for number in 0..<5 {
            let start = ContinuousClock.now
            let error = try await refusal { try await hosts[0].book("during-\(number)") }
            #expect(error?.name == BookingsInterface.StorageUnavailable.errorName)
            #expect(ContinuousClock.now - start < .seconds(1))
        }
        #expect(try await hosts[0].attributesWhileTableIsOut() == false)
        try await server.startAgain()
        try await eventually("bookings to be accepted again") {
            (try? await hosts[0].book("after-\(UUID())")) != nil
        }
        let id = try await hosts[0].book("last")
        #expect(try await hosts[0].settled(id).progress == .committed)
        await front.stop()
        await worker.stop()
    }

    @Test func `with a buffer bookings are accepted while the database is away, and forwarded later`()
        async throws
    {
        let server = try PostgresServer(options: ["synchronous_commit=on"])
        let hosts = try Self.hosts(2, on: server, ["ACMS_POSTGRES_BUFFER": "spool"])
        let front = try await hosts[0].startFront()
        let worker = try await hosts[0].startWorker()
        let other = try await hosts[1].startFront()
        let taken = try await hosts[1].book("both")
        _ = try await hosts[0].settled(taken)
        try await server.stop()
        let ids = try await hosts[0].books((0..<20).map { "u\($0)" })
        #expect(ids.count == 20)
        #expect(try await hosts[0].progress(of: ids[0]) == .queued)
        // This host's own claims hold meanwhile; others' can't be known.
        let error = try await refusal { try await hosts[0].book("u3") }
        #expect(error?.decode(BookingsInterface.PendingBookingExists.self)?.bookingId == ids[3])
        let late = try await hosts[0].book("both")
        // Its end is told when it is over, and not by each booking that is buffered.
        let log = try hosts[0].log(of: "acms-frontd")
        #expect(log.contains("The database can't be reached") && !log.contains("can be read again"))
        // What a crash leaves is forwarded by the next.
        await front.kill9()
        let next = try await hosts[0].startFront()
        try await server.startAgain()
        try await hosts[0].committed(ids)
        let settled = try await hosts[0].settled(late)
        #expect(settled.progress == .deadLettered)
        #expect(try await hosts[1].list().count == 21)
        await next.stop()
        await other.stop()
        await worker.stop()
    }

    @Test func `a deleted letter of a booking that was buffered doesn't come back`() async throws {
        let server = try PostgresServer(options: ["synchronous_commit=on"])
        let hosts = try Self.hosts(2, on: server, ["ACMS_POSTGRES_BUFFER": "spool"])
        let front = try await hosts[0].startFront()
        let worker = try await hosts[0].startWorker()
        let other = try await hosts[1].startFront()
        _ = try await hosts[0].settled(try await hosts[1].book("both"))
        try await server.stop()
        let late = try await hosts[0].book("both")
        try await server.startAgain()
        #expect(try await hosts[0].settled(late).progress == .deadLettered)
        #expect(try await hosts[0].delete(.init(ids: [late])).deleted == [late])
        try await eventually("the spool to be forwarded") { try hosts[0].queuedLines().isEmpty }
        // The front's journal still holds it, and puts it back after a crash.
        await front.kill9()
        let next = try await hosts[0].startFront()
        _ = try await hosts[0].settled(try await hosts[0].book("after"))
        try await eventually("the spool to be forwarded again") { try hosts[0].queuedLines().isEmpty }
        await #expect(throws: (any Error).self) { try await hosts[0].progress(of: late) }
        await next.stop()
        await other.stop()
        await worker.stop()
    }

    @Test func `a pause holds on all hosts, whoever asked for it`() async throws {
        let hosts = try Self.hosts(3, on: .shared())
        let front = try await hosts[0].startFront()
        let first = try await hosts[1].startWorker()
        let second = try await hosts[2].startWorker()
        try await hosts[1].pause()
        let ids = try await hosts[0].books((0..<30).map { "u\($0)" })
        try await eventually("the other worker to know") { try await hosts[2].attributes().paused }
        #expect(try await hosts[2].attributes().incoming == 30)
        #expect(try await hosts[0].list().isEmpty)
        try await hosts[2].resume()
        try await hosts[0].committed(ids)
        try await eventually("the first worker to know") { try await !hosts[1].attributes().paused }
        await front.stop()
        await first.stop()
        await second.stop()
    }

    @Test func `a file that was put in by hand takes nobody's key`() async throws {
        let host = try Self.hosts(1, on: .shared())[0]
        let front = try await host.startFront()
        let worker = try await host.startWorker()
        var asked = host.input("u")
        asked.idempotencyKey = "k"
        func book() async throws -> String {
            try await host.bookings(
                "CreateApartmentBooking", BookingsInterface.Create(input: asked),
                returning: BookingsInterface.Created.self
            ).id
        }
        let id = try await book()
        try await host.committed([id])
        try await host.cancel(id)
        // Nobody forwards what is put in from now on.
        await worker.stop()
        try host.drop(
            "hand.jsonl",
            """
            {"input":{"userId":"u","apartmentId":"A","startDate":"2026-12-01","endDate":"2026-12-02"}}
            {"input":{"userId":"u","apartmentId":"B","startDate":"2026-12-01","endDate":"2026-12-02","idempotencyKey":"k"}}

            """.utf8)
        #expect(try await book() == id)
        asked.apartmentId = "C"
        let reused = try await refusal { try await book() }
        #expect(reused?.decode(BookingsInterface.IdempotencyKeyReused.self)?.bookingId == id)
        // What it asks for without a key counts as any that waits.
        asked.idempotencyKey = nil
        asked.apartmentId = "A"
        let pending = try await refusal { try await book() }
        #expect(pending?.decode(BookingsInterface.PendingBookingExists.self)?.progress == .queued)
        await front.stop()
    }
}

extension Site {
    /// Whether the worker says that it can use the table.
    fileprivate func attributesWhileTableIsOut() async throws -> Bool {
        do {
            return try await attributes().tableAvailable
        } catch {
            // The queue is in the same database.
            return false
        }
    }
}
