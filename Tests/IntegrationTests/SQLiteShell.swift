import Bookings
import Support

/// Runs a statement on the table with SQLite's own shell.
///
/// - Returns: what it answers, a row a line.
@discardableResult
func sqlite(_ site: Site, _ statement: String) async throws -> [String] {
    try await Command.succeed("/usr/bin/sqlite3", "-cmd", ".timeout 5000", site.tablePath, statement).lines
}

/// Makes every try to commit a booking of the apartment `cursed` fail, until the trigger `cursed` is dropped.
func curse(_ site: Site) async throws {
    try await eventually("the table to be there") { try await site.attributes().tableAvailable }
    try await sqlite(
        site,
        """
        CREATE TRIGGER cursed BEFORE INSERT ON bookings WHEN NEW.apartmentId = 'cursed'
        BEGIN SELECT RAISE(ABORT, 'cursed'); END
        """)
}
