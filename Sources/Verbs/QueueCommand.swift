import ArgumentParser
import Bookings

/// `acmsctl queue`
struct QueueCommand: Verb {
    static let service = Service.queue
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "Show how many messages are where, and whether they are being committed.",
        discussion: """
            EXAMPLES
              acmsctl queue
              acmsctl queue --json | jq .dead
            """)

    @OptionGroup var options: CommonOptions

    private struct NoParameters: Encodable {}

    func run(_ session: Session) async throws {
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
        fields.add("committed in all", "\(attributes.committedTotal)")
        fields.add("dead-lettered in all", "\(attributes.deadLetteredTotal)")
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
}
