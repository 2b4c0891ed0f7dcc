import ArgumentParser

/// `acmsctl dlq`: the verbs for dead letters.
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dlq",
        abstract: "Review, mend, redrive and delete dead letters: what could not be committed.",
        discussion: """
            EXAMPLES
              acmsctl dlq list --reason 'not JSON'
              acmsctl dlq show 01932b1c-7a5e-7d11-9c55-0242ac120002
              acmsctl dlq edit 01932b1c-7a5e-7d11-9c55-0242ac120002
              acmsctl dlq redrive --class exhausted
            """,
        subcommands: [
            DeadLettersListCommand.self, DeadLettersShowCommand.self, DeadLettersRedriveCommand.self,
            DeadLettersEditCommand.self, DeadLettersDeleteCommand.self,
        ])
}
