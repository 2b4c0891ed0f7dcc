import ArgumentParser

/// `acmsctl dlq`: the verbs for dead letters.
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dlq",
        abstract: "Review dead letters: what could not be committed.",
        discussion: """
            EXAMPLES
              acmsctl dlq list --reason 'not JSON'
              acmsctl dlq show 01932b1c-7a5e-7d11-9c55-0242ac120002
            """,
        subcommands: [DeadLettersListCommand.self, DeadLettersShowCommand.self])
}
