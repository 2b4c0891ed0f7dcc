import ArgumentParser
import Bookings
import FoundationEssentials

/// A verb that makes calls over one connection to one service.
protocol Verb: AsyncParsableCommand {
    /// Who answers it.
    static var service: Service { get }
    /// How long it waits for a reply unless told; nil for ever.
    static var defaultTimeout: Duration? { get }

    var options: CommonOptions { get }

    /// Makes the calls and prints what they return.
    func run(_ session: Session) async throws
}

extension Verb {
    static var defaultTimeout: Duration? { .seconds(30) }

    /// Connects, runs the verb, and tells what went wrong.
    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let output = Output(terminal: .standardOutput(environment: environment), isJSON: options.json)
        do {
            let timeout = options.timeout.map { Duration.seconds($0) } ?? Self.defaultTimeout
            try await Session.with(
                Self.service, at: try socketPath(environment), timeout: timeout, output
            ) { try await run($0) }
        } catch let failure as Failure {
            throw failure.report(asJSON: options.json)
        }
    }

    /// A configuration that nobody asks for and that isn't needed can't be in the way.
    private func socketPath(_ environment: [String: String]) throws(Failure) -> String {
        if let socket = options.socket, options.config == nil { return socket }
        let settings = try Settings.forVerb(options.config, environment)
        return options.socket ?? Self.service.socketPath(in: settings)
    }
}
