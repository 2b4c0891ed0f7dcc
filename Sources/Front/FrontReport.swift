import Bookings
import Logging
import Synchronization
import Systemd
import Varlink

/// Tells the log and the service manager what the front does.
final class FrontReport: Sendable {
    private struct State {
        var spoolReading = HealthChange()
        var spoolWriting = HealthChange()
        var table = HealthChange()
        var accepted = 0
        var queued = 0
    }

    private let logger: Logger
    private let status: StatusLine
    private let state = Mutex(State())

    /// - Parameters:
    ///   - logger: gets the events.
    ///   - status: gets the line of `systemctl status`.
    init(logger: Logger, status: StatusLine) {
        self.logger = logger
        self.status = status
    }

    func swept(_ leftovers: [String]) {
        logger.notice(
            "Removed \(leftovers.count) unfinished files that a crash left in tmp/. None of them was answered."
        )
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
    }

    func queued(_ count: Int) {
        state.withLock { $0.queued = count }
        updateStatus()
    }

    /// - Parameter trouble: nil when the spool can be read.
    func spoolReading(_ trouble: QueueUnavailable?) {
        spool(state.withLock { $0.spoolReading.note(trouble?.reason, kind: trouble?.kind) }, recovered: "The spool can be read again.")
    }

    /// - Parameter trouble: nil when the spool can be written.
    func spoolWriting(_ trouble: QueueUnavailable?) {
        spool(state.withLock { $0.spoolWriting.note(trouble?.reason, kind: trouble?.kind) }, recovered: "The spool can be written again.")
    }

    private func spool(_ change: HealthChange.Change?, recovered: String) {
        switch change {
        case nil: return
        case .failed(let reason): logger.error("\(reason)", metadata: .event(.spoolUnavailable))
        case .recovered: logger.notice("\(recovered)", metadata: .event(.spoolAvailable))
        }
        updateStatus()
    }

    /// - Parameter trouble: nil when the table can be read.
    func table(_ trouble: String?) {
        guard let change = state.withLock({ $0.table.note(trouble) }) else { return }
        switch change {
        case .failed(let reason): logger.error("\(reason)", metadata: .event(.tableUnavailable))
        case .recovered: logger.notice("The table can be read again.", metadata: .event(.tableAvailable))
        }
        updateStatus()
    }

    private func updateStatus() {
        let text = state.withLock { state in
            let troubles = [state.spoolReading.trouble, state.spoolWriting.trouble, state.table.trouble]
            if let trouble = troubles.lazy.compactMap({ $0 }).first {
                return "Refusing bookings: \(trouble)"
            }
            return
                "Accepting bookings: \(state.accepted) accepted since the start, \(state.queued) in the queue"
        }
        status.update(text)
    }
}

extension Logger.Metadata {
    /// One field a booking for its id, user and apartment.
    static func bookings(_ messages: [Message]) -> Logger.Metadata {
        [
            "booking-id": .array(messages.map { .stringConvertible($0.id) }),
            "user-id": .array(messages.map { .string($0.request.userID) }),
            "apartment-id": .array(messages.map { .string($0.request.apartmentID) }),
        ]
    }
}
