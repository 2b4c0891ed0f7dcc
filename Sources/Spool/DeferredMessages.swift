import Bookings
import HeapModule

/// The files of `deferred/` by when they are due.
struct DeferredMessages {
    private struct Due: Comparable {
        let time: Timestamp
        let name: String

        static func < (left: Due, right: Due) -> Bool { (left.time, left.name) < (right.time, right.name) }
    }

    private var ordinary = Heap<Due>()
    private var suspects = Heap<Due>()
    /// When each file is due. The heaps may hold outdated elements beside the right one.
    private var due: [String: Timestamp] = [:]

    var isEmpty: Bool { due.isEmpty }
    var names: [String] { Array(due.keys) }

    mutating func insert(_ name: String, due time: Timestamp, alone: Bool) {
        due[name] = time
        if alone {
            suspects.insert(Due(time: time, name: name))
        } else {
            ordinary.insert(Due(time: time, name: name))
        }
    }

    mutating func remove(_ name: String) {
        due[name] = nil
    }

    func contains(_ id: BookingID) -> Bool { due[SpoolFileName.make(first: id, count: 1)] != nil }

    var nextDue: Timestamp? {
        // An outdated element can only make this too early, which costs one needless look.
        [ordinary.min?.time, suspects.min?.time].compactMap { $0 }.min()
    }

    /// Takes out a file that is due at `time`.
    mutating func takeDue(at time: Timestamp) -> String? {
        while let first = ordinary.min, first.time <= time {
            ordinary.removeMin()
            if due[first.name] == first.time {
                due[first.name] = nil
                return first.name
            }
        }
        return nil
    }

    /// A file that is due at `time` and must be tried alone; it stays until it is removed.
    mutating func dueAlone(at time: Timestamp) -> String? {
        while let first = suspects.min, first.time <= time {
            if due[first.name] == first.time { return first.name }
            suspects.removeMin()
        }
        return nil
    }
}
