import ArgumentParser
import Bookings

/// `acmsctl queue`
struct QueueCommand: Verb {
    static let service = Service.queue
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "Show how many messages are where, and whether they are being committed.",
        discussion: """
            With --ages, messages are counted by their age and by apartment, user, class or reason, those that have \
            most first; the last two are for dead letters.

            EXAMPLES
              acmsctl queue
              acmsctl queue --json | jq .dead
              acmsctl queue --ages --by user
              acmsctl queue --ages --dead --by reason
            """)

    @Flag(help: "Count messages by age.") var ages = false
    @Option(help: .init("What to tell apart: apartment, user, class or reason.", valueName: "key"))
    var by: QueueInterface.AgeKey?
    @Flag(help: "Count the dead letters, not what waits.") var dead = false
    @Option(help: .init("At most so many rows.", valueName: "n")) var limit: Int?
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard ages || (by == nil && !dead && limit == nil) else {
            throw ValidationError("--by, --dead and --limit need --ages.")
        }
        if let by, by.isOfLetters, !dead {
            throw ValidationError(
                "--by \(by.rawValue.lowercased()) needs --dead: only dead letters have one.")
        }
        guard (1...1000).contains(limit ?? 1) else {
            throw ValidationError("--limit must be 1 to 1000.")
        }
    }

    private struct NoParameters: Encodable {}

    func run(_ session: Session) async throws {
        if ages { return try await session.printAges(by: by ?? .apartment, dead: dead, limit: limit) }
        let attributes: QueueInterface.Attributes = try await session.call(
            QueueInterface.method("GetQueueAttributes"), NoParameters())
        let terminal = session.output.terminal
        try session.output.write(attributes) { Self.fields(attributes).lines(hasColour: terminal.hasColour) }
    }

    private static func fields(_ attributes: QueueInterface.Attributes) -> FieldList {
        var fields = FieldList()
        fields.add("incoming", "\(attributes.incoming)")
        fields.add("active", "\(attributes.active)")
        fields.add("deferred", "\(attributes.deferred)")
        fields.add("dead", StyledText("\(attributes.dead)", attributes.dead > 0 ? .red : nil))
        let oldest = attributes.oldestSeconds.map { Duration.seconds($0).roundText }
        fields.add("oldest", StyledText(oldest ?? "none waits"))
        fields.add("committed in all", total(attributes.committedTotal, attributes))
        fields.add("dead-lettered in all", total(attributes.deadLetteredTotal, attributes))
        fields.add(
            "committing",
            PauseState(paused: attributes.paused, pausedUntil: attributes.pausedUntil).text)
        fields.add(
            "table",
            attributes.tableAvailable
                ? "available" : StyledText("unavailable: \(attributes.tableError ?? "no reason given")", .red)
        )
        return fields
    }

    /// The table counts them: without it nothing is known of them.
    private static func total(_ total: Int, _ attributes: QueueInterface.Attributes) -> StyledText {
        let isKnown =
            attributes.tableAvailable || attributes.committedTotal > 0 || attributes.deadLetteredTotal > 0
        return StyledText(isKnown ? "\(total)" : "unknown")
    }
}
