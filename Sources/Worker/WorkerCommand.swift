public import ArgumentParser
import Bookings
import Daemon

/// The program `acms-workerd`.
public struct WorkerCommand: AsyncParsableCommand {
    /// What its help says.
    public static let configuration = CommandConfiguration(
        commandName: "acms-workerd",
        abstract: "Commits the bookings of the spool to the table and sets poison messages aside.",
        discussion: """
            Started by acms-worker.path, acms-worker.socket and acms-caretaker.socket. Serves io.acms.Queue and \
            io.acms.Caretaker on the sockets that the service manager hands over, or else on those that the \
            configuration names (socket.queue, socket.caretaker).

            \(Daemon.help)
            """,
        version: acmsVersion)

    @OptionGroup var options: DaemonOptions

    /// Takes no values.
    public init() {}

    /// Runs the daemon; see `Daemon.run`.
    public func run() async throws {
        let daemon = Daemon("acms-workerd", options) {
            [(QueueInterface.name, $0.socket.queue), (CaretakerInterface.name, $0.socket.caretaker)]
        }
        try await daemon.run { surroundings in try WorkerDaemon(surroundings) }
    }
}
