import Bookings
import Daemon
import Logging
import Spool
import Synchronization
import Systemd
import Varlink

/// Tells the log and the service manager what the front does.
final class FrontReport: Sendable {
    private struct State {
        var accepted = 0
        var queued = 0
    }

    let metrics = FrontMetrics()
    let events = EventHub()
    private let logger: Logger
    private let status: StatusLine
    private let spoolReading: HealthReport
    private let spoolWriting: HealthReport
    private let table: HealthReport
    private let room: HealthReport
    private let state = Mutex(State())

    /// - Parameters:
    ///   - logger: gets the events.
    ///   - status: gets the line of `systemctl status`.
    init(logger: Logger, status: StatusLine) {
        self.logger = logger
        self.status = status
        spoolReading = HealthReport(
            logger, failure: .spoolUnavailable, recovery: .spoolAvailable,
            recovered: "The spool can be read again.")
        spoolWriting = HealthReport(
            logger, failure: .spoolUnavailable, recovery: .spoolAvailable,
            recovered: "The spool can be written again.")
        table = HealthReport(
            logger, failure: .tableUnavailable, recovery: .tableAvailable,
            recovered: "The table can be read again.")
        room = HealthReport(
            logger, failure: .queueFull, recovery: .queueHasRoom, recovered: "The queue has room again.")
    }

    /// What the spool's writer found at its start.
    func found(_ leftovers: SpoolProducer.Leftovers) {
        if !leftovers.swept.isEmpty {
            logger.notice(
                "Removed \(leftovers.swept.count) unfinished files that a crash left in tmp/. None of them was answered."
            )
        }
        logger.replayed(leftovers.replayedMessages)
        for (segment, stretches) in leftovers.damagedSegments.sorted(by: { $0.key < $1.key }) {
            logger.damagedJournal(segment, stretches)
        }
    }

    func accepted(_ group: [Message], queued: Int) {
        guard !group.isEmpty else { return }
        logger.info(
            group.count == 1 ? "Accepted a booking." : "Accepted \(group.count) bookings.",
            metadata: .event(.bookingsAccepted, .bookings(group)))
        state.withLock {
            $0.accepted += group.count
            $0.queued = queued
        }
        updateStatus()
        metrics.accepted(group.count)
    }

    /// Tells those who watch of bookings that were accepted.
    func tell(_ group: [Message]) {
        events.publish { group.map { BookingEvent($0, .accepted, on: $0.acceptedOn) } }
    }

    /// Calls were answered.
    func answered(
        _ calls: [Acceptance.Submission], _ answers: [[Result<BookingID, ErrorReply>]],
        at now: ContinuousClock.Instant
    ) {
        metrics.acceptDuration.record(calls.lazy.map { (duration: now - $0.received, count: 1) })
        let refusals = answers.lazy.joined().compactMap { answer in
            if case .failure(let refusal) = answer { refusal } else { nil }
        }
        if refusals.first != nil { metrics.refused(refusals) }
    }

    /// Bookings were refused by themselves: what they say is wrong, or the peer may not book them.
    func refused(_ refusals: some Sequence<ErrorReply>) { metrics.refused(refusals) }

    /// Whether the spool and the table can be used, as far as the last try tells.
    var health: [Metric] {
        let labels = ["daemon": "front"]
        let spoolTrouble = spoolReading.trouble ?? spoolWriting.trouble
        return [
            Metric(
                "acms_spool_available", .gauge, help: "Whether the daemon can use the spool.",
                samples: [Metric.Sample(spoolTrouble == nil ? 1 : 0, labels: labels)]),
            Metric(
                "acms_table_available", .gauge, help: "Whether the daemon can use the table.",
                samples: [Metric.Sample(table.trouble == nil ? 1 : 0, labels: labels)]),
        ]
    }

    func queued(_ count: Int) {
        state.withLock { $0.queued = count }
        updateStatus()
    }

    /// - Parameter trouble: nil when the spool can be read.
    func spoolReading(_ trouble: QueueUnavailable?) {
        if spoolReading.note(trouble?.reason, kind: trouble?.kind) { updateStatus() }
    }

    /// - Parameter trouble: nil when the spool can be written.
    func spoolWriting(_ trouble: QueueUnavailable?) {
        if spoolWriting.note(trouble?.reason, kind: trouble?.kind) { updateStatus() }
    }

    /// - Parameter trouble: nil when the table can be read.
    func table(_ trouble: TableUnavailable?) {
        if table.note(trouble?.reason, kind: trouble?.kind.rawValue) { updateStatus() }
    }

    /// A peer was refused bookings of one call, for users that it may not book for.
    ///
    /// - Parameter users: of valid requests: what else a peer sends can have any length, and is not logged.
    func refused(_ users: [String], _ right: BookingRight, _ peer: Peer) {
        var metadata: Logger.Metadata = [
            "user-id": .array(users.map { .string($0) }), "peer-uid": .stringConvertible(peer.uid),
            "peer-pid": .stringConvertible(peer.pid),
        ]
        if case .itself(let login, _) = right { metadata["peer-login"] = .string(login) }
        logger.notice(
            "Refused \(users.count == 1 ? "a booking" : "\(users.count) bookings"): uid \(peer.uid) may not book for the users it named.",
            metadata: .event(.callRefused, metadata))
    }

    func missingGroup(_ name: String) {
        logger.warning("front.trusted-groups names \(name), and there is no such group.")
    }

    /// - Parameter reason: the limit that the queue is at; nil when it has room.
    func full(_ reason: String?) {
        if room.note(reason.map { "The queue is full: \($0)" }, kind: reason.map { _ in "full" }) {
            updateStatus()
        }
    }

    private func updateStatus() { status.update(self.statusText) }

    private var statusText: String {
        if let trouble = spoolReading.trouble ?? spoolWriting.trouble ?? table.trouble ?? room.trouble {
            return "Refusing bookings: \(trouble)"
        }
        return state.withLock { state in
            "Accepting bookings: \(state.accepted) accepted since the start, \(state.queued) in the queue"
        }
    }
}
