import ArgumentParser

/// `acmsctl export`: the verbs that write everything there is of a kind.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write all bookings, all messages that wait, or all dead letters, as JSON Lines or CSV.",
        discussion: """
            EXAMPLES
              acmsctl export bookings --status approved --output approved.jsonl
              acmsctl export bookings --format csv | gzip > bookings.csv.gz
              acmsctl export queue --format csv --output queue.csv
              acmsctl export dead --class exhausted --bodies
            """,
        subcommands: [
            ExportBookingsCommand.self, ExportQueueCommand.self, ExportDeadLettersCommand.self,
        ])
}
