import Bookings
import GRDB

@testable import BookingTable

/// What only tests look at.
extension SQLiteTable {
    /// A setting of the connection that writes.
    func pragma(_ name: String) throws -> String? {
        try connections.use { try String.fetchOne($0, sql: "PRAGMA \(name)") }
    }

    /// How SQLite goes about each query on the way of a booking.
    func plans() throws -> [(query: String, plan: [String])] {
        let owners: [BookingOwner] = [.apartment("A"), .user("u")]
        let id = BookingID.derived(fileName: "f", line: 1)
        let position = try PagePosition(token: "2026-01-01T00:00:00.000Z/\(id)")
        return try connections.use { db in
            let seen = Recorded()
            db.trace(options: .statement) { event in
                if case .statement(let statement) = event { seen.queries.append(statement.expandedSQL) }
            }
            _ = try BookingRow.booking(db, id)
            _ = try BookingRow.committed(db, among: [id])
            _ = try BookingRow.pendingID(db, user: "u", apartment: "A")
            _ = try BookingRow.approved(db, apartment: "A", start: "2026-01-01", end: "2026-01-02")
            _ = try BookingRow.pending(db, apartment: "A", start: "2026-01-01", end: "2026-01-02")
            for owner in owners {
                for status in [nil, BookingStatus.pending] {
                    _ = try BookingRow.page(db, owner, status, 10, nil)
                    _ = try BookingRow.page(db, owner, status, 10, position)
                }
            }
            for status in [nil, BookingStatus.approved] {
                _ = try BookingRow.page(db, status, 10, after: nil)
                _ = try BookingRow.page(db, status, 10, after: id)
            }
            db.trace(options: [])
            return try seen.queries.map { query in
                let rows = try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(query)")
                return (query, try rows.map { try $0.decode(String.self, forColumn: "detail") })
            }
        }
    }
}

private final class Recorded {
    var queries: [String] = []
}

extension SQLiteTableReader {
    /// Tries to write.
    func write(_ sql: String) throws {
        try connections.use { try $0.execute(sql: sql) }
    }
}

/// The kind of the trouble that `body` meets; nil when it meets none.
func kind(_ body: () throws -> some Any) -> TableUnavailable.Kind? { trouble(body)?.kind }

/// The trouble that `body` meets; nil when it meets none.
func trouble(_ body: () throws -> some Any) -> TableUnavailable? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? TableUnavailable
    }
}

/// Closes the table's connections, as the end of its process does.
func close(_ table: SQLiteTable) {
    // A connection is given up after any error that is no lock.
    _ = kind { try table.connections.use { _ -> Int in throw CancellationError() } }
}
