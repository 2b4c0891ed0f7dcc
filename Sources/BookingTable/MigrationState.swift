import Synchronization

/// Whether a table is being brought up to date, which takes a minute where there are ten million bookings.
final class MigrationState: Sendable {
    private let running = Atomic(0)

    var isRunning: Bool { running.load(ordering: .acquiring) > 0 }

    func began() { running.add(1, ordering: .acquiringAndReleasing) }

    func ended() { running.subtract(1, ordering: .acquiringAndReleasing) }
}
