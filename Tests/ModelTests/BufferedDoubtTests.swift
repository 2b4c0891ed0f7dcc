import Bookings
import Daemon
import Logging
import PostgreSQL
import Spool
import Support
import Systemd
import Testing
import Varlink

@testable import Front
@testable import Worker

/// What a front that buffers says of bookings which the shared queue may have.
@Suite struct BufferedDoubtTests {
    /// A queue whose connection breaks each time that it is asked, perhaps after it has done what it was asked for.
    private struct BreakingQueue: SharedBookingQueue {
        let mayHaveHappened: Bool

        private var trouble: QueueUnavailable {
            QueueUnavailable(reason: "It broke.", mayHaveHappened: mayHaveHappened)
        }

        func accept(
            _ messages: [Message], again: Bool, room: Int
        ) throws(QueueUnavailable) -> [SharedVerdict] { throw trouble }
        func objections(to messages: [Message]) throws(QueueUnavailable) -> [SharedVerdict?] {
            throw trouble
        }
        func tellArrivals() {}
        func forward(
            _ items: [Forwarded], from spool: String, at time: Timestamp
        ) throws(QueueUnavailable) -> [SetAside?] { throw trouble }
        func marks(of spool: String) throws(QueueUnavailable) -> [BookingID: [BookingID]] { throw trouble }
        func forget(_ marks: [BookingID]) throws(QueueUnavailable) { throw trouble }
        func counts() throws(QueueUnavailable) -> QueueCounts { throw trouble }
        func message(_ id: BookingID) throws(QueueUnavailable) -> (progress: Progress, message: Message)? {
            throw trouble
        }
        func letterClasses() throws(QueueUnavailable) -> [FailureClass: Int] { throw trouble }
        func known(among ids: [BookingID]) throws(QueueUnavailable) -> Set<BookingID> { throw trouble }
    }

    private func acceptance(
        _ settings: Settings.Spool, mayHaveHappened: Bool = false
    ) throws -> Acceptance {
        let report = FrontReport(
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            status: StatusLine(ServiceNotifier(socketPath: nil)))
        return try Acceptance(
            settings, table: UnreachableTable(), report: report,
            shared: BreakingQueue(mayHaveHappened: mayHaveHappened), buffers: true)
    }

    private func queue(in schema: String) throws -> PostgresQueue {
        var settings = Settings.Postgres()
        settings.url = try PostgresServer.shared().url
        settings.schema = schema
        return PostgresQueue(
            DatabaseLink(DatabaseTarget(settings, program: "acms-test", credentials: nil)))
    }

    private func book(_ user: String, _ acceptance: Acceptance) async throws -> Result<BookingID, ErrorReply>
    {
        let request = try BookingRequest(
            CreateBookingInput(
                userId: user, apartmentId: "A", startDate: "2026-12-01", endDate: "2026-12-05"))
        return await acceptance.answers(to: [request], from: Peer(uid: 1, gid: 2, pid: 3))[0]
    }

    @Test func `a buffered booking is known to a worker that has not taken the spool`() async throws {
        let directory = try TemporaryDirectory()
        var settings = Settings.Spool()
        settings.directory = "\(directory.path)/spool"
        let acceptance = try acceptance(settings)
        let running = Task { await acceptance.run {} }
        let id = try await book("u", acceptance).get()
        running.cancel()
        await running.value
        let queue = try queue(in: PostgresServer.shared().freshSchema())
        var consumer = ForwardingConsumer(
            PostgresConsumer(queue), queue, SpoolDirectory(root: settings.directory))
        #expect(try consumer.progress(of: id) == .queued)
        #expect(try consumer.progress(of: .derived(fileName: "x", line: 1)) == nil)
        // Once it is forwarded the database knows it.
        try consumer.start(at: .now())
        #expect(try consumer.receive(upTo: 10, at: .now()).count == 1)
        #expect(try SpoolReader(SpoolDirectory(root: settings.directory)).progress(of: id) == nil)
        #expect(try consumer.progress(of: id) == .queued)
    }

    @Test func `what one worker has forwarded the next one forgets`() async throws {
        let directory = try TemporaryDirectory()
        var settings = Settings.Spool()
        settings.directory = "\(directory.path)/spool"
        let acceptance = try acceptance(settings)
        let running = Task { await acceptance.run {} }
        _ = try await book("u", acceptance).get()
        let server = try PostgresServer.shared()
        let schema = server.freshSchema()
        let queue = try queue(in: schema)
        func forward() throws -> String {
            var consumer = ForwardingConsumer(
                PostgresConsumer(queue), queue, SpoolDirectory(root: settings.directory))
            try consumer.start(at: .now())
            _ = try consumer.receive(upTo: 10, at: .now())
            return try server.sql("SELECT count(*) FROM forwarded", schema: schema)
        }
        #expect(try forward() == "1\n", "the front's journal still has it")
        running.cancel()
        await running.value
        #expect(try forward() == "0\n", "nothing brings it back")
    }

    @Test(arguments: [true, false])
    func `what the spool refuses is not certain when the database may have it`(_ mayHaveHappened: Bool)
        async throws
    {
        let directory = try TemporaryDirectory()
        var settings = Settings.Spool()
        settings.directory = "\(directory.path)/spool"
        settings.maxMessages = 1
        let acceptance = try acceptance(settings, mayHaveHappened: mayHaveHappened)
        let running = Task { await acceptance.run {} }
        _ = try await book("first", acceptance).get()
        let second = try await book("second", acceptance)
        let full = #expect(throws: ErrorReply.self) { try second.get() }
        #expect(
            full?.name
                == (mayHaveHappened
                    ? BookingsInterface.StorageUnavailable.errorName : BookingsInterface.QueueFull.errorName))
        // What its own spool has answered without asking is.
        let again = try await book("first", acceptance)
        let pending = #expect(throws: ErrorReply.self) { try again.get() }
        #expect(pending?.name == BookingsInterface.PendingBookingExists.errorName)
        running.cancel()
        await running.value
    }
}
