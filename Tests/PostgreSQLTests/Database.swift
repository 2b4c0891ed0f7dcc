import Bookings
import Support
import Synchronization
import Varlink

@testable import PostgreSQL

/// A schema of its own on a real server.
final class Database: Sendable {
    let server: PostgresServer
    let target: DatabaseTarget
    var schema: String { target.schema }

    init(
        _ server: PostgresServer? = nil, query: String = "", lease: Duration = .seconds(15),
        timeout: Duration = .seconds(10)
    ) throws {
        self.server = try server ?? PostgresServer.shared()
        var settings = Settings.Postgres()
        settings.url = self.server.url + query
        settings.schema = self.server.freshSchema()
        settings.lease = lease
        settings.timeout = timeout
        target = DatabaseTarget(settings, program: "acms-test", credentials: nil)
    }

    @discardableResult
    func sql(_ text: String) throws -> String { try server.sql(text, schema: schema) }

    func queue() -> PostgresQueue { PostgresQueue(DatabaseLink(target)) }

    func consumer() -> PostgresConsumer { PostgresConsumer(queue()) }
}

/// Makes messages, each with a later id than those before.
final class MessageMaker: Sendable {
    private let ids = Mutex(BookingIDGenerator())

    func message(
        _ user: String, _ apartment: String = "A", from start: String = "2026-12-01",
        to end: String = "2026-12-05",
        key: String? = nil
    ) throws -> Message {
        let time = Timestamp.now()
        let request = try BookingRequest(
            CreateBookingInput(
                userId: user, apartmentId: apartment, startDate: start, endDate: end, idempotencyKey: key))
        return Message(
            id: ids.withLock { $0.next(at: time) }, acceptedOn: time, peer: Peer(uid: 1, gid: 2, pid: 3),
            request: request)
    }
}
