import Foundation

/// SQLite's own shell, in a transaction that keeps everybody else from writing, until it is released or the last
/// reference goes.
public final class TableLock: Sendable {
    private let shell: ChildProcess
    private let input: FileHandle

    /// Takes the lock.
    public init(_ site: Site) async throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw CocoaError(.fileReadUnknown) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        input = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        let output = open("\(site.directory.path)/lock.output", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer {
            close(ends[0])
            close(output)
        }
        shell = try ChildProcess(
            ["/usr/bin/sqlite3", "-batch", "-bail", "-cmd", ".timeout 5000", site.tablePath],
            environment: ["PATH": "/usr/bin:/bin"], input: ends[0], output: output, errors: 2)
        // The shell says so by another program, because its own output stays in a buffer.
        try input.write(contentsOf: Data("BEGIN EXCLUSIVE;\n.system echo held\n".utf8))
        try await eventually("the lock") { try site.directory.read("lock.output") == "held\n" }
    }

    /// Ends the transaction, without a change, and the shell.
    public func release() async throws {
        try input.close()
        _ = await shell.end()
    }
}
