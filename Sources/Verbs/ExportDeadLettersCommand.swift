import ArgumentParser
import Bookings
import Varlink

/// `acmsctl export dead`
struct ExportDeadLettersCommand: Verb {
    static let service = Service.queue
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "Write the dead letters, in the order of their ids.",
        discussion: """
            All that is given must hold. Of each body the first 4 KiB are written, or with --bodies as much as acms \
            hands over, which is 8 MiB.

            EXAMPLES
              acmsctl export dead --output dead.jsonl --bodies
              acmsctl export dead --class poison --format csv
            """)

    @OptionGroup var selection: DeadLetterSelection
    @Flag(help: "Write bodies in full.") var bodies = false
    @OptionGroup var export: ExportOptions
    @OptionGroup var options: CommonOptions

    func run(_ session: Session) async throws {
        let filter = selection.filter
        let cut = try await session.export(export, Self.columns, "dead letters") { session, exporter in
            guard bodies else {
                try await session.export(
                    QueueInterface.method("ListDeadLetters"), pages: QueueInterface.DeadLetterList.self,
                    to: &exporter
                ) { QueueInterface.ListDeadLetters(filter: filter, nextToken: $0) }
                return 0
            }
            return try await exportBodies(session, filter, to: &exporter)
        }
        if cut > 0 {
            throw Failure.incomplete(
                """
                \(cut) \(cut == 1 ? "body is" : "bodies are") longer than acms hands over; bodyFile names the file in \
                the spool's dead/ that has it all.
                """)
        }
    }

    /// Writes letters with their bodies.
    ///
    /// - Returns: how many bodies are not complete even so.
    private func exportBodies(
        _ session: Session, _ filter: DeadLetterFilter?, to exporter: inout Exporter<DeadLetter>
    ) async throws(Failure) -> Int {
        var cut = 0
        var token: String?
        // Page by page and without `more`: a call that is made between two replies is answered after the last.
        repeat {
            let page: QueueInterface.DeadLetterList = try await session.call(
                QueueInterface.method("ListDeadLetters"),
                QueueInterface.ListDeadLetters(filter: filter, nextToken: token),
                ifLost: Exporter<DeadLetter>.ifLost)
            for listed in page.items {
                guard let letter = try await whole(listed, session) else { continue }
                if letter.bodyIsTruncated ?? false { cut += 1 }
                try exporter.write([letter])
            }
            token = page.nextToken
        } while token != nil
        return cut
    }

    /// The letter with its body; nil when it isn't dead any more.
    private func whole(_ letter: DeadLetter, _ session: Session) async throws(Failure) -> DeadLetter? {
        guard letter.bodyIsTruncated ?? false else { return letter }
        do throws(Failure) {
            let reply: QueueInterface.OneDeadLetter = try await session.call(
                QueueInterface.method("GetDeadLetter"), QueueInterface.ByID(id: letter.id), about: letter.id,
                ifLost: Exporter<DeadLetter>.ifLost)
            return reply.letter
        } catch .refused(let error, _, _) where error.name == QueueInterface.DeadLetterNotFound.errorName {
            return nil
        }
    }

    static let columns: [ExportColumn<DeadLetter>] = [
        .init("id") { $0.id }, .init("class") { $0.class.rawValue }, .init("reason") { $0.reason },
        .init("deadOn") { "\($0.deadOn)" }, .init("receiveCount") { "\($0.receiveCount)" },
        .init("userId") { $0.userId }, .init("apartmentId") { $0.apartmentId },
        .init("attempts") { JSONLine.text(of: $0.attempts) }, .init("body") { $0.body },
        .init("bodyIsBase64") { "\($0.bodyIsBase64)" }, .init("bodySize") { $0.bodySize.map { "\($0)" } },
        .init("bodyIsTruncated") { $0.bodyIsTruncated.map { "\($0)" } }, .init("bodyFile") { $0.bodyFile },
        .init("redriveCount") { $0.redriveCount.map { "\($0)" } },
    ]
}
