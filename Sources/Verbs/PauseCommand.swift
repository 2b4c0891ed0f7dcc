import ArgumentParser
import Bookings

/// `acmsctl pause`
struct PauseCommand: Verb {
    static let service = Service.queue
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stop committing; bookings are accepted and wait.",
        discussion: """
            A pause survives restarts. It lasts until 'acmsctl resume', or until its time if one is given.

            EXAMPLES
              acmsctl pause
              acmsctl pause --for 30m
              acmsctl pause --until 2026-12-01T06:00:00Z
            """)

    @Option(help: .init("Go on at this time, for example 2026-12-01T06:00:00Z.", valueName: "time"))
    var until: Timestamp?
    @Option(
        name: .customLong("for"),
        help: .init("Go on after so long, for example 90s, 30m, 2h or 1d.", valueName: "duration"))
    var duration: PauseDuration?
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard until == nil || duration == nil else {
            throw ValidationError("Give either --until or --for.")
        }
        if let until, until <= .now() { throw ValidationError("--until must be a time that is yet to come.") }
    }

    func run(_ session: Session) async throws {
        let end = until ?? duration.map { Timestamp.now().advanced(by: $0.duration) }
        let _: NoReply = try await session.call(
            QueueInterface.method("Pause"), QueueInterface.Pause(until: end), ifLost: PauseState.seeQueue)
        try session.output.write(PauseState(paused: true, pausedUntil: end))
    }
}

/// `acmsctl resume`
struct ResumeCommand: Verb {
    static let service = Service.queue
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Go on committing after a pause.",
        discussion: """
            EXAMPLES
              acmsctl resume
            """)

    @OptionGroup var options: CommonOptions

    func run(_ session: Session) async throws {
        let _: NoReply = try await session.call(
            QueueInterface.method("Resume"), NoReply(), ifLost: PauseState.seeQueue)
        try session.output.write(PauseState(paused: false, pausedUntil: nil))
    }
}

/// Whether the queue is being committed.
struct PauseState: Encodable {
    let paused: Bool
    let pausedUntil: Timestamp?

    fileprivate static let seeQueue = "See 'acmsctl queue' for whether the queue is paused."

    /// For people.
    var text: StyledText {
        guard paused else { return "yes" }
        return StyledText("paused\(pausedUntil.map { " until \($0.text(at: .now()))" } ?? "")", .yellow)
    }
}

extension Output {
    fileprivate func write(_ state: PauseState) throws(Failure) {
        try write(state) {
            var fields = FieldList()
            fields.add("committing", state.text)
            return fields.lines(hasColour: terminal.hasColour)
        }
    }
}

/// The parameters and the reply of a method that has none.
private struct NoReply: Codable {}

/// A length of time as one types it: a whole number and `s`, `m`, `h` or `d`.
struct PauseDuration: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        guard let unit = argument.last, let count = Int(argument.dropLast()), (1...36_500).contains(count)
        else { return nil }
        switch unit {
        case "s": duration = .seconds(count)
        case "m": duration = .seconds(count * 60)
        case "h": duration = .seconds(count * 3600)
        case "d": duration = .seconds(count * 86_400)
        default: return nil
        }
    }
}
