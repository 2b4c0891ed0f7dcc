import ArgumentParser
import Bookings
import FoundationEssentials

/// `acmsctl dlq show`
struct DeadLettersShowCommand: Verb {
    static let service = Service.queue
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one dead letter: why it is one, every failed try, and what was received.",
        discussion: """
            EXAMPLES
              acmsctl dlq show 01932b1c-7a5e-7d11-9c55-0242ac120002
              acmsctl dlq show 01932b1c-7a5e-7d11-9c55-0242ac120002 --body | jq .
            """)

    @Argument(help: "The letter's id.") var id: String
    @Flag(help: "Print what was received, byte for byte, and nothing else.") var body = false
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard !(body && options.json) else { throw ValidationError("Give either --body or --json.") }
    }

    func run(_ session: Session) async throws {
        let reply: QueueInterface.OneDeadLetter = try await session.call(
            QueueInterface.method("GetDeadLetter"), QueueInterface.ByID(id: id), about: id)
        let letter = reply.letter
        if body {
            let bytes = try letter.bodyBytes()
            try session.output.write(bytes: bytes)
            if letter.bodyIsTruncated ?? false {
                throw Failure.incomplete(letter.whereTheRestIs(bytes.count))
            }
        } else {
            let bytes = try letter.bodyBytes()
            try session.output.write(letter) { letter.lines(bytes, on: session.output.terminal) }
        }
    }
}
