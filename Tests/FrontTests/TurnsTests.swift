import Testing
import Varlink

@testable import Front

@Suite struct TurnsTests {
    private let greedy = Peer(uid: 1, gid: 1, pid: 10)
    private let modest = Peer(uid: 1, gid: 1, pid: 11)
    private let third = Peer(uid: 2, gid: 2, pid: 10)

    private func turns(_ calls: [(Int, Peer)]) -> Turns<Int> {
        var turns = Turns<Int>()
        for (call, peer) in calls { turns.add(call, of: peer) }
        return turns
    }

    @Test func `who comes late with one call is not behind another's thousand`() {
        var turns = turns((0..<1000).map { ($0, greedy) } + [(-1, modest), (-2, third)])
        #expect(turns.next(room: 4) { _ in 1 } == [0, -1, -2, 1])
        #expect(turns.next(room: 3) { _ in 1 } == [2, 3, 4])
        #expect(turns.count == 995)
    }

    @Test func `one peer's calls stay in their order, whoever else waits`() {
        var turns = turns((0..<100).map { ($0, [greedy, modest, third][$0 % 3]) })
        var taken: [Int] = []
        while !turns.isEmpty { taken += turns.next(room: 7) { _ in 1 } }
        #expect(taken.count == 100)
        for remainder in 0..<3 {
            #expect(taken.filter { $0 % 3 == remainder } == Array(stride(from: remainder, to: 100, by: 3)))
        }
    }

    @Test func `a call that doesn't fit is the first of the next group, and a giant one is a group`() {
        var turns = turns([(5, greedy), (8, modest), (1, third), (20, greedy)])
        #expect(turns.next(room: 10) { $0 } == [5])
        #expect(turns.next(room: 10) { $0 } == [8, 1])
        #expect(turns.next(room: 10) { $0 } == [20])
        #expect(turns.next(room: 10) { $0 } == [])
    }

    @Test func `nobody has more than a share, and who had it comes next`() {
        var turns = turns((0..<10).map { ($0, greedy) } + [(20, modest), (21, modest), (30, third)])
        #expect(turns.callers == 3)
        #expect(turns.next(room: 100, share: 3) { _ in 1 } == [0, 20, 30, 1, 21, 2])
        #expect(turns.callers == 1)
        #expect(turns.next(room: 100, share: 3) { _ in 1 } == [3, 4, 5])
        #expect(turns.next(room: 100, share: 3) { _ in 5 } == [6], "one always fits")
        #expect(turns.next(room: 100) { _ in 1 } == [7, 8, 9])
        #expect(turns.isEmpty)
    }

    @Test func `all can be taken at once`() {
        var turns = turns([(1, greedy), (2, greedy), (3, modest)])
        #expect(turns.removeAll() == [1, 3, 2])
        #expect(turns.isEmpty && turns.count == 0)
        turns.add(4, of: greedy)
        #expect(turns.removeAll() == [4])
    }
}
