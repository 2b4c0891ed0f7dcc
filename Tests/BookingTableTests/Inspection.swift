import Bookings
import GRDB

@testable import BookingTable

/// What only tests look at.
extension SQLiteTable {
    /// The settings of the connection that writes.
    func pragmas() throws -> (synchronous: Int?, journalMode: String?) {
        try connection.use { queue in
            try queue.read { db in
                (
                    try Int.fetchOne(db, sql: "PRAGMA synchronous"),
                    try String.fetchOne(db, sql: "PRAGMA journal_mode")
                )
            }
        }
    }

    func close() throws {
        try connection.use { try $0.close() }
    }

    /// How SQLite goes about each query on the way of a booking.
    func plans() throws -> [(query: String, plan: [String])] {
        let owners: [BookingOwner] = [.apartment("A"), .user("u")]
        let position = try PagePosition(
            token: "2026-01-01T00:00:00.000Z/\(BookingID.derived(fileName: "f", line: 1))")
        return try connection.use { queue in
            try queue.read { db in
                var queries: [String] = []
                let id = BookingID.derived(fileName: "f", line: 1)
                let recorded = try recording(db, &queries) {
                    _ = try BookingRow.booking(db, id)
                    _ = try BookingRow.pendingID(db, user: "u", apartment: "A")
                    _ = try BookingRow.approved(db, apartment: "A", start: "2026-01-01", end: "2026-01-02")
                    for owner in owners { _ = try BookingRow.page(db, owner, nil, 10, position) }
                    _ = try BookingRow.page(db, .user("u"), .pending, 10, position)
                }
                return try recorded.map { query in
                    let rows = try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(query)")
                    return (query, rows.map { $0["detail"] as String })
                }
            }
        }
    }

    private func recording(_ db: Database, _ queries: inout [String], _ body: () throws -> Void) throws
        -> [String]
    {
        let seen = Recorded()
        db.trace(options: .statement) { event in
            if case .statement(let statement) = event { seen.queries.append(statement.expandedSQL) }
        }
        defer { db.trace(options: []) }
        try body()
        return seen.queries
    }
}

private final class Recorded {
    var queries: [String] = []
}

extension SQLiteTableReader {
    /// Tries to write.
    func write(_ sql: String) throws {
        try connection.use { queue in
            try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        }
    }
}
