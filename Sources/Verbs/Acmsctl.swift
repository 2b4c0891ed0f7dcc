public import ArgumentParser
import Bookings
import Glibc

/// The program: one verb a file, each a ``Verb``.
public struct Acmsctl: AsyncParsableCommand {
    /// What its help says.
    public static let configuration = CommandConfiguration(
        commandName: "acmsctl",
        abstract: "Books apartments, decides bookings, and looks after the queue of acms.",
        discussion: """
            EXAMPLES
              acmsctl book --user alice --apartment A-17 --from 2026-12-01 --to 2026-12-05
              acmsctl list --apartment A-17 --status pending
              acmsctl list --user alice --json | jq -r .id
              acmsctl import bookings.csv
              acmsctl export bookings --output bookings.jsonl
              acmsctl dlq list --class poison
              acmsctl pause --for 30m

            EXIT STATUS
              0   success
              1   acms refused the call, 'check' has found damage, or 'doctor' a problem
              64  the command line is wrong
              66  the file to read can't be read
              69  the daemon can't be reached, or did not answer
              74  the output could not be written in full
              78  the configuration is invalid

            With --json every result is one JSON object a line on standard output, and an error one on \
            standard error: {"error":"io.acms.Bookings.BookingNotFound","parameters":{…}}.
            """,
        version: acmsVersion,
        subcommands: [
            BookCommand.self, ImportCommand.self, ExportCommand.self, ListCommand.self, ShowCommand.self,
            AwaitCommand.self,
            ApproveCommand.self, CancelCommand.self, QueueCommand.self, PauseCommand.self, ResumeCommand.self,
            DeadLettersCommand.self, CheckCommand.self, WatchCommand.self, TopCommand.self,
            MetricsCommand.self,
            CalendarCommand.self, TraceCommand.self, DoctorCommand.self, MigrateCommand.self,
        ])

    /// Takes no values.
    public init() {}

    /// As ArgumentParser's own, except that an error begins with the program's name, and that an unknown verb
    /// gets a suggestion.
    public static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let code = exitCode(for: error)
            guard code.isUsageError else { exit(withError: error) }
            let suggestion = VerbSuggestion(for: CommandLine.arguments.dropFirst(), among: Self.self)
            StandardError.write(usageError(fullMessage(for: error), suggestion))
            Glibc.exit(code.rawValue)
        }
    }

    private static func usageError(_ message: String, _ suggestion: VerbSuggestion?) -> [String] {
        var lines = message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let first = lines.first else { return [] }
        let prefix = "Error: "
        lines[0] = "acmsctl: " + (first.hasPrefix(prefix) ? String(first.dropFirst(prefix.count)) : first)
        if let suggestion { lines.insert(suggestion.text, at: 1) }
        return lines
    }
}

extension ExitCode {
    fileprivate var isUsageError: Bool { self == .validationFailure }
}
