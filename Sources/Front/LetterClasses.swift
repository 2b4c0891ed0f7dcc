import Bookings
import Spool

/// How many dead letters of each class there are: each letter is read once.
struct LetterClasses {
    private let store: DeadLetterStore
    private var known: [BookingID: FailureClass] = [:]

    init(_ directory: SpoolDirectory) {
        store = DeadLetterStore(directory)
    }

    /// Looks for letters that have come and gone.
    mutating func counts() throws(SpoolError) -> [FailureClass: Int] {
        let ids = Set(try store.ids())
        for id in known.keys where !ids.contains(id) { known[id] = nil }
        for id in ids where known[id] == nil { known[id] = try store.letter(id, bodyBytes: 0)?.class }
        return known.values.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
}
