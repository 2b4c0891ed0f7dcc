import Bookings
import Spool

/// How many messages are in the entries of each place.
struct PlaceCounts: Hashable, Sendable {
    static let places: [SpoolPlace] = [.incoming, .active, .deferred, .dead]

    private var incoming = 0
    private var active = 0
    private var deferred = 0
    private var dead = 0

    /// Counts what is in a queue that hosts share as well.
    mutating func add(_ others: QueueCounts) {
        incoming += others.incoming
        active += others.active
        deferred += others.deferred
        dead += others.dead
    }

    subscript(place: SpoolPlace) -> Int {
        get {
            switch place {
            case .tmp, .incoming: incoming
            case .active: active
            case .deferred: deferred
            case .dead: dead
            }
        }
        set {
            switch place {
            case .tmp, .incoming: incoming = newValue
            case .active: active = newValue
            case .deferred: deferred = newValue
            case .dead: dead = newValue
            }
        }
    }
}
