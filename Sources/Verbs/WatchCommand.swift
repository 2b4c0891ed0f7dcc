import ArgumentParser
import Bookings

/// `acmsctl watch`
struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Print what happens to bookings, as it happens.",
        discussion: """
            Shows what is accepted, committed, deferred, set aside, redriven, deleted, approved and cancelled, from \
            both daemons and in order of time, until it is interrupted. A daemon that is restarted is watched again. \
            Who may connect to one of the daemons only sees what that one does.

            EXAMPLES
              acmsctl watch
              acmsctl watch --apartment A-17
              acmsctl watch --json | jq -r 'select(.kind == "DEAD_LETTERED") | .reason'
            """)

    @Option(help: .init("Only this booking.", valueName: "id")) var id: String?
    @Option(help: .init("Only bookings of this user.", valueName: "user")) var user: String?
    @Option(help: .init("Only bookings of this apartment.", valueName: "apartment")) var apartment: String?
    @Option(help: .init("End after so many events.", valueName: "n")) var limit: Int?
    @OptionGroup var options: SiteOptions

    func validate() throws {
        guard limit ?? 1 >= 1 else { throw ValidationError("--limit must be at least 1.") }
        guard id.map({ BookingID($0) != nil }) ?? true else {
            throw ValidationError("--id must be a booking's id, as 'acmsctl list' shows it.")
        }
        for (option, name) in [("--user", user), ("--apartment", apartment)]
        where !(name.map(BookingRequest.isIdentifier) ?? true) {
            throw ValidationError("\(option) must be 1 to 256 bytes without control characters.")
        }
    }

    func run() async throws {
        // As acms writes it.
        let id = id.map { BookingID($0)?.description ?? $0 }
        let filter = EventFilter(id: id, userId: user, apartmentId: apartment)
        try await options.run { settings, output in
            let services = [Service.bookings, .queue]
            let feed = EventFeed(services)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for service in services {
                    group.addTask {
                        // A daemon that can't be watched keeps nobody waiting for it.
                        defer { feed.decide(service, output) }
                        try await EventWatch(
                            service: service, path: service.socketPath(in: settings), filter: filter,
                            output: output
                        ).run(into: feed)
                    }
                }
                group.addTask { try await Self.print(feed, limit: limit, output) }
                // The printing ends at the limit; a watch ends only when there is nothing to watch.
                defer { group.cancelAll() }
                var endedWatches: [any Error] = []
                while let result = await group.nextResult() {
                    switch result {
                    case .success: return
                    case .failure(let failure as Failure) where failure.isOfOutput: throw failure
                    case .failure(let error):
                        endedWatches.append(error)
                        if endedWatches.count == services.count { throw error }
                        (error as? Failure).map { output.note("acmsctl: \($0.lines.joined(separator: " "))") }
                    }
                }
            }
        }
    }

    /// Prints events in order of time: those of the two daemons don't come in their order.
    private static func print(_ feed: EventFeed, limit: Int?, _ output: Output) async throws {
        var rest = limit ?? .max
        for await _ in feed.wakeUps {
            try await Task.sleep(for: .milliseconds(100))
            let (events, missed) = feed.take()
            let shown = events.sorted { $0.on < $1.on }.prefix(rest)
            rest -= shown.count
            for event in shown { try output.write(event) { [event.line(on: output.terminal)] } }
            if missed > 0 {
                output.note("\(missed) events were left out: they came faster than they were read.")
            }
            if rest == 0 { return }
        }
    }
}

extension BookingEvent {
    /// The event for people; cut to the width of a terminal.
    func line(on terminal: Terminal) -> String {
        let style: StyledText.Style? =
            switch kind {
            case .accepted, .redriven, .resumed: nil
            case .committed: .dim
            case .approved: .green
            case .deferred, .paused, .cancelled: .yellow
            case .deadLettered, .deleted: .red
            }
        let name = kind.rawValue
        let padding = String(repeating: " ", count: max(0, "DEAD_LETTERED".count - name.count))
        let time = terminal.width == nil ? "\(on)" : String("\(on)".dropFirst(11).prefix(12))
        let rest = [id, userId, apartmentId, reason].compactMap(\.self).joined(separator: "  ")
        let head = "\(time)  "
        let used = head.count + name.count + padding.count + 2
        let tail = StyledText(rest).rendered(
            hasColour: false, width: terminal.width.map { max(1, $0 - used) })
        return head + StyledText(name, style).rendered(hasColour: terminal.hasColour)
            + (rest.isEmpty ? "" : "\(padding)  \(tail)")
    }
}

extension Failure {
    /// Whether it is about what is printed.
    fileprivate var isOfOutput: Bool {
        switch self {
        case .outputFailed, .outputClosed: true
        default: false
        }
    }
}
