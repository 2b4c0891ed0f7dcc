import Bookings
import Daemon
import Logging
import Spool
import Synchronization
import Systemd
import Varlink

/// Tells the log and the service manager what the worker does.
final class WorkerReport: Sendable {
    private struct State {
        var committed = 0
        var dead = 0
        var isStarted = false
        var nextDue: Timestamp?
        var isWorking = false
        var pause: QueuePause?
    }

    let metrics = WorkerMetrics()
    let events = EventHub()
    private let logger: Logger
    private let status: StatusLine
    private let spool: HealthReport
    private let table: HealthReport
    private let state = Mutex(State())

    /// - Parameters:
    ///   - logger: gets the events.
    ///   - status: gets the line of `systemctl status`.
    ///   - engine: what keeps the queue and the table.
    init(logger: Logger, status: StatusLine, engine: Settings.Engine = .embedded) {
        self.logger = logger
        self.status = status
        spool = HealthReport(
            logger, failure: .spoolUnavailable, recovery: .spoolAvailable,
            recovered: "The \(engine == .embedded ? "spool" : "queue") can be used again.")
        table = HealthReport(
            logger, failure: .tableUnavailable, recovery: .tableAvailable,
            recovered: "The table can be written again.")
    }

    func started(_ counts: QueueCounts) {
        logger.info(
            """
            Serving the queue: \(counts.incoming) incoming, \(counts.deferred) deferred, \(counts.dead) dead letters.
            """)
        state.withLock { $0.isStarted = true }
        updateStatus()
    }

    /// One entry for all that a batch committed.
    func applied(_ messages: [Message], _ outcomes: [ApplyOutcome]) {
        let committed = zip(messages, outcomes).filter { $1 == .committed }.map(\.0)
        let repeated = zip(messages, outcomes).filter { $1 == .alreadyCommitted }.map(\.0)
        if !committed.isEmpty {
            logger.info(
                committed.count == 1 ? "Committed a booking." : "Committed \(committed.count) bookings.",
                metadata: .event(.batchCommitted, .bookings(committed)))
        }
        if !repeated.isEmpty {
            logger.debug(
                "Found \(repeated.count) bookings in the table already; nothing was changed.",
                metadata: .event(.duplicateIgnored, .bookings(repeated)))
        }
        state.withLock {
            $0.committed += committed.count
            $0.isWorking = true
        }
        updateStatus()
        let time = Timestamp.now()
        metrics.committed(committed, at: time)
        events.publish { committed.map { BookingEvent($0, .committed, on: time) } }
    }

    /// An entry for each message that was deferred or set aside, once that is durable.
    func settled(_ settled: [(content: Result<Message, Poison>, settlement: Settlement)]) {
        for (content, settlement) in settled {
            switch settlement {
            case .committed: continue
            case .deferred(let later): deferred(later)
            case .dead(let failure, let reason, _, let receiveCount):
                dead(content, failure, reason, receiveCount)
            }
        }
    }

    private func deferred(_ message: Message) {
        let due = message.notBefore.map { " until \($0)" } ?? ""
        logger.warning(
            "Deferred a booking\(due) after receive \(message.receiveCount): \(message.attempts.last?.reason ?? "")",
            metadata: .event(.deferred, .bookings([message])))
        metrics.deferred()
        events.publish {
            [BookingEvent(message, .deferred, on: .now(), reason: message.attempts.last?.reason)]
        }
    }

    private func dead(
        _ content: Result<Message, Poison>, _ failure: FailureClass, _ reason: String, _ receiveCount: Int
    ) {
        state.withLock { $0.dead += 1 }
        var metadata: Logger.Metadata
        var origin = ""
        switch content {
        case .success(let message): metadata = .bookings([message])
        case .failure(let poison):
            metadata = ["booking-id": .stringConvertible(poison.id)]
            if let source = poison.origin {
                metadata["file"] = .string(source)
                origin = " It came in \(source)."
            }
            if let user = poison.userID { metadata["user-id"] = .string(user) }
            if let apartment = poison.apartmentID { metadata["apartment-id"] = .string(apartment) }
        }
        metadata["class"] = .string(failure.rawValue)
        metadata["receive-count"] = .stringConvertible(receiveCount)
        logger.error(
            "Set a message aside as a dead letter: \(reason)\(origin)",
            metadata: .event(.deadLettered, metadata))
        metrics.dead(failure)
        events.publish {
            switch content {
            case .success(let message): [BookingEvent(message, .deadLettered, on: .now(), reason: reason)]
            case .failure(let poison):
                [
                    BookingEvent(
                        on: .now(), .deadLettered, id: poison.id.description, userId: poison.userID,
                        apartmentId: poison.apartmentID, reason: reason)
                ]
            }
        }
    }

    func recovered(_ ids: [BookingID]) {
        logger.warning(
            """
            The last worker died with messages in hand. Charged \(ids.count) of them, and tries each by itself.
            """,
            metadata: .event(.crashRecovered, ["booking-id": .array(ids.map { .stringConvertible($0) })]))
    }

    func notice(_ notice: QueueNotice) {
        switch notice {
        case .stuck(let name, let reason):
            logger.error(
                "Left \(name) in incoming/, because it can't be moved. \(reason)",
                metadata: .event(.setAside, ["file": .string(name)]))
        case .duplicate(let id, let progress):
            logger.notice(
                "Dropped a copy of a message that is \(progress.rawValue).",
                metadata: .event(.duplicateIgnored, ["booking-id": .stringConvertible(id)]))
        case .replayed(let count):
            logger.replayed(count)
        case .misplaced(let name):
            logger.error(
                "Put deferred/\(name) back into incoming/: it is damaged, or not the message that its name says.",
                metadata: .event(.setAside, ["file": .string(name)]))
        case .damagedJournal(let segment, let stretches):
            logger.damagedJournal(segment, stretches)
        case .setAside(let content, let reason):
            let receiveCount =
                switch content {
                case .success(let message): message.receiveCount
                case .failure(let poison): poison.receiveCount
                }
            dead(content, .poison, reason, receiveCount + 1)
        case .forwarded(let count):
            logger.notice(
                "Forwarded \(count == 1 ? "a message" : "\(count) messages") of the spool to the database.")
        case .notForwarded(let reason):
            logger.warning("The spool's messages wait here until the database can be used. \(reason)")
        }
    }

    func decided(_ booking: Booking, cancelled: [Booking], by peer: Peer) {
        let others = cancelled.isEmpty ? "" : "; cancelled \(cancelled.count) that overlap it"
        act(
            .decided, by: peer, "Booking is now \(booking.bookingStatus.rawValue)\(others)",
            [
                "booking-id": .array(([booking] + cancelled).map { .string($0.id) }),
                "user-id": .string(booking.userId), "apartment-id": .string(booking.apartmentId),
            ])
        metrics.decided(booking.bookingStatus)
        metrics.decided(.cancelled, cancelled.count)
        events.publish {
            let time = Timestamp.now()
            return [BookingEvent(booking, on: time)]
                + cancelled.map {
                    BookingEvent(
                        on: time, .cancelled, id: $0.id, userId: $0.userId, apartmentId: $0.apartmentId)
                }
        }
    }

    func redriven(_ messages: [Message], by peer: Peer) {
        act(
            .lettersRedriven, by: peer, "Put \(Self.letters(messages.count)) back into the queue",
            .bookings(messages))
        metrics.redriven(messages.count)
        events.publish { messages.map { BookingEvent($0, .redriven, on: .now()) } }
    }

    func deleted(_ ids: [BookingID], by peer: Peer) {
        act(
            .lettersDeleted, by: peer, "Deleted \(Self.letters(ids.count))",
            ["booking-id": .array(ids.map { .stringConvertible($0) })])
        metrics.deleted(ids.count)
        events.publish { ids.map { BookingEvent(on: .now(), .deleted, id: $0.description) } }
    }

    func paused(_ pause: QueuePause, by peer: Peer) {
        act(.paused, by: peer, "Paused the committing\(pause.until.map { " until \($0)" } ?? "")")
        events.publish { [BookingEvent(on: .now(), .paused)] }
    }

    /// - Parameter peer: nil when the pause's time has come.
    func resumed(by peer: Peer?) {
        if let peer {
            act(.resumed, by: peer, "Resumed the committing")
        } else {
            logger.notice("Resumed the committing: the pause is over.", metadata: .event(.resumed))
        }
        state.withLock { $0.pause = nil }
        events.publish { [BookingEvent(on: .now(), .resumed)] }
    }

    func expired(_ bookings: [Booking], afterDays days: Int) {
        logger.notice(
            "Cancelled \(bookings.count == 1 ? "a booking" : "\(bookings.count) bookings") that nobody had decided for \(days) days.",
            metadata: .event(
                .pendingExpired,
                [
                    "booking-id": .array(bookings.map { .string($0.id) }),
                    "user-id": .array(bookings.map { .string($0.userId) }),
                    "apartment-id": .array(bookings.map { .string($0.apartmentId) }),
                ]))
        metrics.decided(.cancelled, bookings.count)
        events.publish {
            bookings.map { booking in
                var event = BookingEvent(booking, on: .now())
                event.reason = "Nobody has decided it for \(days) days."
                return event
            }
        }
    }

    /// Whether the spool and the table can be used, as far as the last try tells.
    var health: [Metric] {
        let labels = ["daemon": "worker"]
        return [
            Metric(
                "acms_spool_available", .gauge, help: "Whether the daemon can use the spool.",
                samples: [Metric.Sample(spool.trouble == nil ? 1 : 0, labels: labels)]),
            Metric(
                "acms_table_available", .gauge, help: "Whether the daemon can use the table.",
                samples: [Metric.Sample(table.trouble == nil ? 1 : 0, labels: labels)]),
        ]
    }

    private static func letters(_ count: Int) -> String {
        count == 1 ? "a dead letter" : "\(count) dead letters"
    }

    /// Logs what somebody did, and who.
    private func act(_ event: EventID, by peer: Peer, _ text: String, _ metadata: Logger.Metadata = [:]) {
        var metadata = metadata
        let login = UserDatabase.loginName(of: peer.uid)
        metadata["peer-uid"] = .stringConvertible(peer.uid)
        metadata["peer-pid"] = .stringConvertible(peer.pid)
        if let login { metadata["peer-login"] = .string(login) }
        let who = login.map { "\($0) (uid \(peer.uid))" } ?? "uid \(peer.uid)"
        logger.notice("\(text), as \(who) asked.", metadata: .event(event, metadata))
    }

    /// - Parameter trouble: nil when the spool can be used.
    func spool(_ trouble: QueueUnavailable?) {
        if spool.note(trouble?.reason, kind: trouble?.kind) { updateStatus() }
    }

    /// - Parameter trouble: nil when the table can be written.
    func table(_ trouble: TableUnavailable?) {
        if table.note(trouble?.reason, kind: trouble?.kind.rawValue) { updateStatus() }
    }

    func waiting(deferred due: Timestamp?, pause: QueuePause? = nil) {
        state.withLock {
            $0.isWorking = false
            $0.nextDue = due
            $0.pause = pause
        }
        updateStatus()
    }

    private func updateStatus() {
        let text = state.withLock { state in
            if let trouble = table.trouble ?? spool.trouble {
                return "Holding the queue: \(trouble)"
            }
            guard state.isStarted else { return "Looking through the queue" }
            let counts = "\(state.committed) committed and \(state.dead) dead-lettered since the start"
            if let pause = state.pause {
                return "Paused\(pause.until.map { " until \($0)" } ?? ""): \(counts)"
            }
            if state.isWorking { return "Committing: \(counts)" }
            return "Waiting\(state.nextDue.map { ", next retry at \($0)" } ?? ""): \(counts)"
        }
        status.update(text)
    }
}
