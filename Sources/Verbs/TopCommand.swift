import ArgumentParser
import Bookings
import FoundationEssentials
import Glibc

/// `acmsctl top`
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show the queue, rates and latencies on a live screen.",
        discussion: """
            KEYS
              p  pause the committing      r  resume it
              d  look into dead letters    q  quit
              In the dead letters: up and down choose, enter shows one, R redrives it, escape goes back.

            Rates are those of the last interval, percentiles those of the last ten. Looking starts a worker that \
            sleeps, and keeps it from ending. Where standard output is no terminal, one look is printed and no more; \
            with --json, one object an interval.

            EXAMPLES
              acmsctl top
              acmsctl top --interval 5
              acmsctl top --json | jq .acceptedPerSecond
            """)

    @Option(help: .init("How often to look.", valueName: "seconds")) var interval = 1.0
    @OptionGroup var options: SiteOptions

    func validate() throws {
        guard interval >= 0.1, interval <= 3600 else {
            throw ValidationError("--interval must be 0.1 to 3600 seconds.")
        }
    }

    func run() async throws {
        let locale = Locale(environment: ProcessInfo.processInfo.environment)
        try await options.run { settings, output in
            let look = TopLook(settings: settings, output: output)
            let interval = Duration.seconds(interval)
            if !output.isJSON, output.terminal.width != nil, isatty(STDIN_FILENO) == 1 {
                try await TopSession(
                    look: look, interval: interval, terminal: output.terminal, locale: locale
                ).run()
            } else {
                try await Self.printLooks(look, interval, output, locale)
            }
        }
    }

    /// One frame after one interval, or with JSON one object an interval.
    private static func printLooks(
        _ look: TopLook, _ interval: Duration, _ output: Output, _ locale: Locale
    ) async throws {
        var history = TopHistory()
        history.add(try await look.first())
        repeat {
            try await Task.sleep(for: interval)
            history.add(await look.sample(after: history))
            guard let state = history.state else { continue }
            try output.write(state.summary) {
                TopScreen(
                    state: state, size: (columns: output.terminal.width ?? 80, rows: 24), hasColour: false
                )
                .lines
            }
        } while output.isJSON
    }
}
