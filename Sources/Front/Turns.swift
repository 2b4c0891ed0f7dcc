import Bookings
import Varlink

/// Calls that wait, of which each peer's come in turns: who has thousands under way waits for them itself, and who
/// has one doesn't. Pure.
struct Turns<Call> {
    /// A process of a user. Its connections share its turns, or more connections would be more turns.
    private struct Caller: Hashable {
        let uid: UInt32
        let pid: Int32
    }

    private var waiting: [Caller: Line<Call>] = [:]
    /// Those who wait, in the order of their turns.
    private var order = Line<Caller>()
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Makes a call wait behind those of its peer.
    mutating func add(_ call: Call, of peer: Peer) {
        let caller = Caller(uid: peer.uid, pid: peer.pid)
        if waiting[caller] == nil { order.append(caller) }
        waiting[caller, default: Line()].append(call)
        count += 1
    }

    /// How many peers have calls that wait.
    var callers: Int { waiting.count }

    /// Takes calls out as long as there is room for them; at least one, if any waits.
    ///
    /// - Parameters:
    ///   - share: how much of the room one peer's calls may take, unless a single one takes more.
    ///   - size: what a call takes of the room.
    mutating func next(room: Int, share: Int = .max, size: (Call) -> Int) -> [Call] {
        var calls: [Call] = []
        var room = room
        var taken: [Caller: Int] = [:]
        // Those who have had their share; the next turns are theirs.
        var served: [Caller] = []
        defer { for caller in served { order.append(caller) } }
        while let caller = order.first, let call = waiting[caller]?.first {
            let size = size(call)
            guard calls.isEmpty || size <= room else { break }
            let part = taken[caller, default: 0] + size
            guard part <= share || part == size else {
                order.popFirst()
                served.append(caller)
                continue
            }
            taken[caller] = part
            room -= size
            calls.append(call)
            order.popFirst()
            waiting[caller]?.popFirst()
            if waiting[caller]?.isEmpty == true { waiting[caller] = nil } else { order.append(caller) }
        }
        count -= calls.count
        return calls
    }

    /// Takes all out.
    mutating func removeAll() -> [Call] { next(room: .max) { _ in 0 } }
}
