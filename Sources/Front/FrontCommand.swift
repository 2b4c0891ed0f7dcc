public import ArgumentParser
import Bookings
import Daemon

/// The program `acms-frontd`.
public struct FrontCommand: AsyncParsableCommand {
    /// What its help says.
    public static let configuration = CommandConfiguration(
        commandName: "acms-frontd",
        abstract: "Accepts apartment bookings on a Unix socket and writes them to the spool.",
        discussion: """
            Started by acms-front.socket. Serves io.acms.Bookings on the socket that the service manager hands \
            over, or else on the one that the configuration names (socket.bookings).

            \(Daemon.help)
            """,
        version: acmsVersion)

    @OptionGroup var options: DaemonOptions

    /// Takes no values.
    public init() {}

    /// Runs the daemon; see `Daemon.run`.
    public func run() async throws {
        let daemon = Daemon("acms-frontd", options) { [(BookingsInterface.name, $0.socket.bookings)] }
        try await daemon.run { surroundings in try FrontDaemon(surroundings) }
    }
}
