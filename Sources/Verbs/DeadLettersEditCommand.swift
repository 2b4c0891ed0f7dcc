import ArgumentParser
import Bookings
import FoundationEssentials

/// `acmsctl dlq edit`
struct DeadLettersEditCommand: Verb {
    static let service = Service.queue
    static let configuration = CommandConfiguration(
        commandName: "edit",
        abstract: "Mend a dead letter in your editor, and put it back into the queue.",
        discussion: """
            Opens the booking that the letter asks for in $VISUAL or $EDITOR, validates what you make of it, shows \
            the difference, and redrives the letter with it, under its id.

            EXAMPLES
              acmsctl dlq edit 01932b1c-7a5e-7d11-9c55-0242ac120002
              EDITOR="sed -i s/2026-02-30/2026-02-28/" acmsctl dlq edit 01932b1c-7a5e-7d11-9c55-0242ac120002 --yes
            """)

    @Argument(help: "The letter's id.") var id: String
    @Flag(help: "Don't ask before it is redriven.") var yes = false
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard yes || Question.canBeAsked else {
            throw ValidationError("There is no terminal to ask at; give --yes to redrive without asking.")
        }
    }

    func run(_ session: Session) async throws {
        let reply: QueueInterface.OneDeadLetter = try await session.call(
            QueueInterface.method("GetDeadLetter"), QueueInterface.ByID(id: id), about: id)
        let draft = LetterDraft(reply.letter)
        guard let input = try edited(draft, session) else {
            session.output.note("Nothing was changed; redrive it as it is with 'acmsctl dlq redrive \(id)'.")
            return
        }
        if !options.json {
            try session.output.write(draft.difference(to: input, on: session.output.terminal))
        }
        guard yes || Question.ask("Redrive the letter with this?") else {
            session.output.note("Nothing was redriven.")
            throw ExitCode(1)
        }
        try await session.redrive(.init(ids: [id], input: input))
    }

    /// What the user made of the draft; nil when it was fine and is unchanged. A letter that is poison for what stands
    /// around a fine booking is mended by the booking alone.
    private func edited(_ draft: LetterDraft, _ session: Session) throws -> CreateBookingInput? {
        let editor = Editor(environment: ProcessInfo.processInfo.environment)
        var text = draft.text
        while true {
            text = try editor.edit(text)
            switch LetterDraft.validated(text) {
            case .success(let input):
                return input == draft.validInput && !draft.isPoison ? nil : input
            case .failure(let invalid):
                StandardError.write(["acmsctl: \(invalid.reason)"])
                guard Question.canBeAsked, Question.ask("Edit it again?") else {
                    session.output.note("Nothing was redriven.")
                    throw ExitCode(1)
                }
            }
        }
    }
}
