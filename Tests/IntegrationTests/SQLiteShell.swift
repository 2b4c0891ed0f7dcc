import Support

/// SQLite's own shell failed.
struct SQLiteShellFailure: Error {
    let status: Int32
}

/// Runs a statement on the table with SQLite's own shell.
func sqlite(_ site: Site, _ statement: String) async throws {
    let shell = try ChildProcess(
        ["/usr/bin/sqlite3", "-cmd", ".timeout 5000", site.tablePath, statement], environment: [:], output: 2,
        errors: 2)
    let status = await shell.end()
    guard status == 0 else { throw SQLiteShellFailure(status: status) }
}
