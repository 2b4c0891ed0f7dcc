import ArgumentParser
import Bookings
import Glibc

/// `acmsctl dlq delete`
struct DeadLettersDeleteCommand: Verb {
    static let service = Service.queue
    /// However many they are: there is one reply.
    static let defaultTimeout: Duration? = nil
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete dead letters for good, which lets their users book again.",
        discussion: """
            Letters that are described rather than named are counted first, and the terminal is asked; elsewhere \
            --yes is required.

            EXAMPLES
              acmsctl dlq delete 01932b1c-7a5e-7d11-9c55-0242ac120002
              acmsctl dlq delete --class poison --before 2026-11-01 --dry-run
              acmsctl dlq delete --apartment A-17 --yes
            """)

    @OptionGroup var choice: DeadLetterChoice
    @Flag(help: "Tell what would be done, and do nothing.") var dryRun = false
    @Flag(help: "Don't ask.") var yes = false
    @OptionGroup var options: CommonOptions

    private var mustAsk: Bool { choice.filter != nil && !dryRun && !yes }

    func validate() throws {
        guard !mustAsk || (isatty(STDIN_FILENO) == 1 && !options.json) else {
            throw ValidationError(
                "Deleting can't be undone. Give --yes, or look with --dry-run at what would be deleted.")
        }
    }

    func run(_ session: Session) async throws {
        let reply =
            mustAsk
            ? try await deleteConfirmed(session)
            : try await delete(choice.namedIDs, session, dryRun: dryRun)
        guard let reply else { return }
        let outcome = LetterOutcome(done: reply.deleted.count, failed: reply.failed)
        try session.output.write(reply) { outcome.lines(dryRun ? "Would delete" : "Deleted") }
        if !outcome.failed.isEmpty { throw ExitCode(1) }
    }

    /// Deletes just the letters that were counted: others may have come while the question was open.
    ///
    /// - Returns: nil when there is none.
    private func deleteConfirmed(_ session: Session) async throws -> QueueInterface.Deleted? {
        var ids = try await delete(choice.namedIDs, session, dryRun: true).deleted[...]
        guard !ids.isEmpty else {
            session.output.note("No such dead letters.")
            return nil
        }
        let letters = ids.count == 1 ? "1 dead letter" : "\(ids.count) dead letters"
        guard Question.ask("Delete \(letters) for good?") else {
            session.output.note("Nothing was deleted.")
            throw ExitCode(1)
        }
        var all = QueueInterface.Deleted(deleted: [], failed: [])
        while !ids.isEmpty {
            // A call has its limit in bytes.
            let reply = try await delete(Array(ids.prefix(1000)), session, dryRun: false)
            all.deleted += reply.deleted
            all.failed += reply.failed
            ids = ids.dropFirst(1000)
        }
        return all
    }

    private func delete(
        _ ids: [String]?, _ session: Session, dryRun: Bool
    ) async throws -> QueueInterface.Deleted {
        try await session.call(
            QueueInterface.method("DeleteDeadLetters"),
            QueueInterface.DeleteDeadLetters(ids: ids, filter: choice.filter, dryRun: dryRun ? true : nil),
            ifLost: dryRun
                ? Session.repeatIt
                : "Some letters may have been deleted; see 'acmsctl dlq list' for those that stay.")
    }
}
