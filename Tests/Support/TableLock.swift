/// SQLite's own shell, in a transaction that keeps everybody else from writing, until it is released or the last
/// reference goes.
public final class TableLock: Sendable {
    private let shell: SQLiteProcess

    /// Takes the lock.
    public init(_ site: Site) async throws {
        shell = try SQLiteProcess(site.tablePath)
        try await shell.run("BEGIN EXCLUSIVE;")
    }

    /// Ends the transaction, without a change, and the shell.
    public func release() async throws {
        await shell.end()
    }
}
