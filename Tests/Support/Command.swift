import Glibc

/// A program that is run to its end.
public struct Command {
    /// The exit status, or minus the number of the signal that ended it.
    public let status: Int32
    /// What it wrote to standard output.
    public let output: String
    /// What it wrote to standard error.
    public let errors: String

    /// The lines of `output`.
    public var lines: [String] { output.split(separator: "\n").map(String.init) }
    /// The lines of `errors`.
    public var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

    /// A command that should not have failed.
    public struct Failure: Error {
        let command: [String]
        let status: Int32
        let errors: String
    }

    /// Runs a program, found by its path.
    ///
    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - environment: all of its environment but `PATH`.
    public static func run(_ command: [String], environment: [String: String] = [:]) async throws -> Command {
        let directory = try TemporaryDirectory()
        let output = open("\(directory.path)/output", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let errors = open("\(directory.path)/errors", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer {
            close(output)
            close(errors)
        }
        let process = try ChildProcess(
            command, environment: environment.merging(["PATH": "/usr/bin:/bin"]) { own, _ in own },
            output: output, errors: errors)
        let status = await process.end()
        return Command(
            status: status, output: try directory.read("output"), errors: try directory.read("errors"))
    }

    /// Runs a program that must succeed.
    @discardableResult
    public static func succeed(_ command: String...) async throws -> Command {
        let run = try await run(command)
        guard run.status == 0 else {
            throw Failure(command: command, status: run.status, errors: run.errors)
        }
        return run
    }
}
