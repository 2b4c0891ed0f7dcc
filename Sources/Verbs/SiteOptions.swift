import ArgumentParser
import Bookings
import FoundationEssentials

/// The options of verbs that ask more than one service.
struct SiteOptions: ParsableArguments {
    @Option(
        help: .init(
            "The configuration to read. (default: /etc/acms/acms.yaml if it exists)", valueName: "file"))
    var config: String?

    @Flag(help: "Print JSON Lines: one object a line, errors too.")
    var json = false

    /// Where standard output goes.
    var output: Output {
        Output(
            terminal: .standardOutput(environment: ProcessInfo.processInfo.environment), isJSON: json)
    }

    /// The configuration.
    func settings() throws(Failure) -> Settings {
        try .forVerb(config, ProcessInfo.processInfo.environment)
    }

    /// Runs a verb, and tells what went wrong.
    func run(_ body: (Settings, Output) async throws -> Void) async throws {
        do {
            try await body(settings(), output)
        } catch let failure as Failure {
            throw failure.report(asJSON: json)
        }
    }
}
