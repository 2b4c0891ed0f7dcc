import Support

/// Runs a statement on the table with SQLite's own shell.
///
/// - Returns: what it answers, a row a line.
@discardableResult
func sqlite(_ site: Site, _ statement: String) async throws -> [String] {
    try await Command.succeed("/usr/bin/sqlite3", "-cmd", ".timeout 5000", site.tablePath, statement).lines
}
