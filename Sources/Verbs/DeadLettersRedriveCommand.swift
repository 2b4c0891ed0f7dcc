import ArgumentParser
import Bookings

/// `acmsctl dlq redrive`
struct DeadLettersRedriveCommand: Verb {
    static let service = Service.queue
    /// However long it takes, with --rate above all.
    static let defaultTimeout: Duration? = nil
    static let configuration = CommandConfiguration(
        commandName: "redrive",
        abstract: "Put dead letters back into the queue, under their ids.",
        discussion: """
            Each letter is judged as a new booking is. One that would be refused stays, is told with the reason, \
            and makes the exit status 1; 'acmsctl dlq edit' mends it.

            EXAMPLES
              acmsctl dlq redrive 01932b1c-7a5e-7d11-9c55-0242ac120002
              acmsctl dlq redrive --reason 'disk I/O error' --dry-run
              acmsctl dlq redrive --class exhausted --rate 50
            """)

    @OptionGroup var choice: DeadLetterChoice
    @Flag(help: "Tell what would be done, and do nothing.") var dryRun = false
    @Option(help: .init("At most so many letters a second.", valueName: "n")) var rate: Int?
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard rate ?? 1 >= 1 else { throw ValidationError("--rate must be at least 1.") }
    }

    func run(_ session: Session) async throws {
        try await session.redrive(
            .init(
                ids: choice.namedIDs, filter: choice.filter, maxPerSecond: rate,
                dryRun: dryRun ? true : nil))
    }
}

extension Session {
    /// Redrives letters and prints what became of them.
    ///
    /// - Throws: what ends the program with status 1 when a letter stays.
    func redrive(_ parameters: QueueInterface.RedriveDeadLetters) async throws {
        let output = output
        let isDryRun = parameters.dryRun ?? false
        let outcome = try await stream(
            QueueInterface.method("RedriveDeadLetters"), parameters, into: LetterOutcome(),
            ifLost: "Some letters may have been redriven; see 'acmsctl dlq list' for those that stay."
        ) { (reply: QueueInterface.Redriven, outcome) in
            outcome.done += reply.redriven.count
            outcome.failed += reply.failed
            if output.isJSON {
                try output.write([JSONLine.text(of: reply)])
            } else {
                StandardError.showProgress("\(outcome.done) redriven")
            }
            return true
        }
        StandardError.showProgress("")
        if !output.isJSON { try output.write(outcome.lines(isDryRun ? "Would redrive" : "Redrove")) }
        if !outcome.failed.isEmpty { throw ExitCode(1) }
    }
}
