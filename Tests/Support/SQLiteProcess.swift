import Foundation

/// SQLite's own shell as a process that keeps a database open until it is ended.
public final class SQLiteProcess: Sendable {
    private let shell: ChildProcess
    private let input: FileHandle
    private let directory: TemporaryDirectory

    /// Opens the database at a path.
    public init(_ path: String) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw CocoaError(.fileReadUnknown) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        input = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        directory = try TemporaryDirectory()
        let output = open("\(directory.path)/output", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer {
            close(ends[0])
            close(output)
        }
        shell = try ChildProcess(
            ["/usr/bin/sqlite3", "-batch", "-bail", "-cmd", ".timeout 5000", path],
            environment: ["PATH": "/usr/bin:/bin"], input: ends[0], output: output, errors: 2)
    }

    /// Has it begin with a statement.
    public func start(_ statement: String) throws {
        try input.write(contentsOf: Data("\(statement)\n".utf8))
    }

    /// Runs a statement to its end.
    public func run(_ statement: String) async throws {
        // The shell says so by another program, because its own output stays in a buffer.
        let mark = UUID().uuidString
        try start("\(statement)\n.system echo \(mark)")
        try await eventually("the statement's end") { try directory.read("output").contains(mark) }
    }

    /// Ends it, and what it has not committed.
    @discardableResult
    public func end() async -> Int32 {
        try? input.close()
        return await shell.end()
    }
}
