import Bookings
import Daemon
import Logging
import Spool
import Support
import Systemd
import Testing
import Varlink

@testable import Front

/// What a front that buffers says of bookings which the shared queue may have.
@Suite struct BufferedDoubtTests {
    /// A queue whose connection breaks each time that it is asked, perhaps after it has done what it was asked for.
    private struct BreakingQueue: SharedBookingQueue {
        let mayHaveHappened: Bool

        private var trouble: QueueUnavailable {
            QueueUnavailable(reason: "It broke.", mayHaveHappened: mayHaveHappened)
        }

        func accept(_ messages: [Message], again: Bool) throws(QueueUnavailable) -> [SharedVerdict] {
            throw trouble
        }
        func tellArrivals() {}
        func forward(_ items: [Forwarded], at time: Timestamp) throws(QueueUnavailable) -> [String?] {
            throw trouble
        }
        func forget(_ marks: [BookingID]) throws(QueueUnavailable) { throw trouble }
        func counts() throws(QueueUnavailable) -> QueueCounts { throw trouble }
        func message(_ id: BookingID) throws(QueueUnavailable) -> (progress: Progress, message: Message)? {
            throw trouble
        }
        func letterClasses() throws(QueueUnavailable) -> [FailureClass: Int] { throw trouble }
        func known(among ids: [BookingID]) throws(QueueUnavailable) -> Set<BookingID> { throw trouble }
    }

    @Test(arguments: [true, false])
    func `what the spool refuses is not certain when the database may have it`(_ mayHaveHappened: Bool)
        async throws
    {
        let directory = try TemporaryDirectory()
        var settings = Settings.Spool()
        settings.directory = "\(directory.path)/spool"
        settings.maxMessages = 1
        let report = FrontReport(
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            status: StatusLine(ServiceNotifier(socketPath: nil)))
        let acceptance = try Acceptance(
            settings, table: UnreachableTable(), report: report,
            shared: BreakingQueue(mayHaveHappened: mayHaveHappened), buffers: true)
        let running = Task { await acceptance.run {} }
        func book(_ user: String) async throws -> Result<BookingID, ErrorReply> {
            let request = try BookingRequest(
                CreateBookingInput(
                    userId: user, apartmentId: "A", startDate: "2026-12-01", endDate: "2026-12-05"))
            return await acceptance.answers(to: [request], from: Peer(uid: 1, gid: 2, pid: 3))[0]
        }
        _ = try await book("first").get()
        let second = try await book("second")
        let full = #expect(throws: ErrorReply.self) { try second.get() }
        #expect(
            full?.name
                == (mayHaveHappened
                    ? BookingsInterface.StorageUnavailable.errorName : BookingsInterface.QueueFull.errorName))
        // What its own spool has answered without asking is.
        let again = try await book("first")
        let pending = #expect(throws: ErrorReply.self) { try again.get() }
        #expect(pending?.name == BookingsInterface.PendingBookingExists.errorName)
        running.cancel()
        await running.value
    }
}
