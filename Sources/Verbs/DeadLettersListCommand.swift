import ArgumentParser
import Bookings

/// `acmsctl dlq list`
struct DeadLettersListCommand: Verb {
    static let service = Service.queue
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List dead letters, in the order of acceptance.",
        discussion: """
            All that is given must hold. With --json a letter has the first 4 KiB of its body.

            EXAMPLES
              acmsctl dlq list --class exhausted --before 2026-11-22
              acmsctl dlq list --json | jq -r '[.id, .reason] | @tsv'
            """)

    @OptionGroup var selection: DeadLetterSelection
    @Option(help: .init("At most so many.", valueName: "n")) var limit: Int?
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard limit ?? 1 >= 1 else { throw ValidationError("--limit must be at least 1.") }
    }

    func run(_ session: Session) async throws {
        let filter = selection.filter
        try await session.list(
            QueueInterface.method("ListDeadLetters"), pages: QueueInterface.DeadLetterList.self,
            columns: Self.columns(at: .now()), limit: limit,
            empty: filter == nil ? "No dead letters." : "No such dead letters."
        ) {
            QueueInterface.ListDeadLetters(filter: filter, limit: $0, nextToken: $1)
        }
    }

    private static func columns(at now: Timestamp) -> [Column<DeadLetter>] {
        [
            Column(title: "ID", cut: .last(minimum: 8)) { StyledText($0.id) },
            Column(title: "CLASS", reservedWidth: "EXHAUSTED".count) { StyledText($0.class) },
            Column(title: "AGE", reservedWidth: "59 min".count) {
                StyledText(now.since($0.deadOn).roundText)
            },
            Column(title: "USER", cut: .first(minimum: 8), isOptional: true) {
                StyledText(optional: $0.userId)
            },
            Column(title: "APARTMENT", cut: .first(minimum: 8), isOptional: true) {
                StyledText(optional: $0.apartmentId)
            },
            Column(title: "REASON", cut: .first(minimum: 20)) { StyledText($0.reason) },
        ]
    }
}

extension QueueInterface.DeadLetterList: Page {}
