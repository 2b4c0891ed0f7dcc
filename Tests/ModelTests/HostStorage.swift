import BookingTable
import Bookings
import PostgreSQL
import Spool
import Support
import Testing

@testable import Front
@testable import Worker

/// What keeps queue and table.
enum Engine: String, CaseIterable, CustomTestStringConvertible {
    case embedded, postgres

    var testDescription: String { rawValue }
}

/// The queue and the table of a host, as both halves of acms use them and as a test looks at them.
protocol HostStorage: Sendable {
    /// To look at; they have no faults.
    var table: any BookingQueries { get }
    var reader: any BookingQueueReader { get }

    /// The accepting half, in a process that the switch ends.
    func acceptance(_ settings: Settings, _ report: FrontReport, _ crash: CrashSwitch) throws -> Acceptance

    /// What a worker needs, in a process that the switch ends.
    func worker(_ settings: Settings, _ crash: CrashSwitch) -> WorkerParts

    /// Every message that is anywhere in the queue, and its place.
    func messages() throws -> [(place: SpoolPlace, message: Message)]

    /// What should not be there when nothing waits.
    func leftovers() throws -> [String]

    /// Whether a letter's message is in the queue again, after a crash in its redriving.
    func isRedriven(_ id: BookingID) throws -> Bool
}

/// The engine's half of a worker.
struct WorkerParts {
    let consumer: any BookingQueueConsumer
    let reader: any BookingQueueReader
    let table: any BookingTable
    let servesOthers: Bool
}
