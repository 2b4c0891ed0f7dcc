import Bookings
import Logging
import Synchronization
import Systemd
import Varlink

/// Tells the log and the service manager what the front does.
final class FrontReport: Sendable {
    private struct State {
        var spool = HealthChange()
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
            "Removed \(leftovers.count) unfinished files that a crash left in tmp/. None of them was answered.")
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

    /// - Parameter trouble: nil when the spool can be used.
    func spool(_ trouble: String?) {
        guard let change = state.withLock({ $0.spool.note(trouble) }) else { return }
        switch change {
        case .failed(let reason): logger.error("\(reason)", metadata: .event(.spoolUnavailable))
        case .recovered: logger.notice("The spool can be used again.", metadata: .event(.spoolAvailable))
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
            if let trouble = state.spool.trouble ?? state.table.trouble { return "Refusing bookings: \(trouble)" }
            return "Accepting bookings: \(state.accepted) accepted since the start, \(state.queued) in the queue"
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
