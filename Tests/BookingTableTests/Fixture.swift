import Bookings
import GRDB
import Support

@testable import BookingTable

/// A table on a real disk, and a second connection of somebody else to it.
final class Fixture {
    let directory: TemporaryDirectory
    let path: String
    let table: SQLiteTable
    private var ids = BookingIDGenerator()

    init() throws {
        directory = try TemporaryDirectory()
        path = "\(directory.path)/acms.sqlite"
        table = SQLiteTable(path: path)
    }

    func message(
        _ user: String, _ apartment: String = "A", from start: String = "2026-01-10",
        to end: String = "2026-01-20",
        at milliseconds: Int64 = 1_700_000_000_000, key: String? = nil
    ) throws -> Message {
        let input = CreateBookingInput(
            userId: user, apartmentId: apartment, startDate: start, endDate: end, idempotencyKey: key)
        let time = Timestamp(milliseconds: milliseconds)
        return Message(
            id: ids.next(at: time), acceptedOn: time, peer: nil, request: try BookingRequest(input))
    }

    /// Commits one booking.
    @discardableResult
    func commit(_ message: Message) throws -> BookingID {
        let outcomes = try table.apply([message], deadLettered: 0)
        guard outcomes == [.committed] else { throw TableUnavailable(.other, reason: "\(outcomes)") }
        return message.id
    }

    /// Runs a statement as somebody else.
    func execute(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }
}
