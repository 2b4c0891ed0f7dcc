import ArgumentParser
import Bookings

/// `acmsctl export queue`
struct ExportQueueCommand: Verb {
    static let service = Service.queue
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "Write the messages that wait to be committed.",
        discussion: """
            Those in the worker's hands come first, then those that are next, then those that wait for another try. A \
            message that moves meanwhile may be missing; 'acmsctl pause' keeps them where they are.

            EXAMPLES
              acmsctl export queue --output queue.jsonl
              acmsctl export queue | jq -r 'select(.place == "DEFERRED") | .attempts[-1].reason'
            """)

    @OptionGroup var export: ExportOptions
    @OptionGroup var options: CommonOptions

    func run(_ session: Session) async throws {
        try await session.export(export, Self.columns, "messages") { session, exporter in
            try await session.export(
                QueueInterface.method("ListMessages"), pages: QueueInterface.MessageList.self, to: &exporter
            ) { QueueInterface.ListMessages(limit: 1000, nextToken: $0) }
        }
    }

    static let columns: [ExportColumn<QueueInterface.QueuedMessage>] = [
        .init("id") { $0.id }, .init("place") { $0.place.rawValue }, .init("file") { $0.file },
        .init("acceptedOn") { "\($0.acceptedOn)" }, .init("receiveCount") { "\($0.receiveCount)" },
        .init("redriveCount") { "\($0.redriveCount)" }, .init("notBefore") { $0.notBefore.map { "\($0)" } },
        .init("userId") { $0.userId }, .init("apartmentId") { $0.apartmentId },
        .init("startDate") { $0.startDate }, .init("endDate") { $0.endDate },
        .init("idempotencyKey") { $0.idempotencyKey }, .init("traceparent") { $0.traceparent },
        .init("attempts") { JSONLine.text(of: $0.attempts) },
    ]
}

extension QueueInterface.MessageList: Page {}
