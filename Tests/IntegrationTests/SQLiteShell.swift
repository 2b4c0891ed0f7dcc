import Glibc
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

/// What a statement prints in SQLite's own shell, which can't change the table.
func sqliteOutput(_ site: Site, _ statement: String) async throws -> String {
    let directory = try TemporaryDirectory()
    let output = open("\(directory.path)/output", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(output) }
    let shell = try ChildProcess(
        ["/usr/bin/sqlite3", "-readonly", "-cmd", ".timeout 5000", site.tablePath, statement],
        environment: [:], output: output, errors: 2)
    let status = await shell.end()
    guard status == 0 else { throw SQLiteShellFailure(status: status) }
    return try directory.read("output")
}
