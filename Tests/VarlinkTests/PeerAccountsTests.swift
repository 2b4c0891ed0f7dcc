import Testing

@testable import Varlink

@Suite("Who holds what") struct PeerAccountsTests {
    /// Things to be connections.
    private final class Thing: Sendable {}

    private let things = (0..<64).map { _ in Thing() }
    private let step = PeerAccounts.uncounted

    private func id(_ number: Int) -> ObjectIdentifier { ObjectIdentifier(things[number]) }

    private func hold(
        _ accounts: inout PeerAccounts, _ number: Int, uid: UInt32 = 1, _ counted: Int,
        isClosed: Bool = false,
        limit: Int
    ) -> Set<Int> {
        let closing = accounts.hold(id(number), uid, counted, isClosed: isClosed, limit: limit)
        return Set(closing.map { one in things.firstIndex { ObjectIdentifier($0) == one } ?? -1 })
    }

    @Test("An ordinary call isn't counted, and more is in steps")
    func steps() {
        #expect(PeerAccounts.counted(0) == 0)
        #expect(PeerAccounts.counted(step) == 0)
        #expect(PeerAccounts.counted(step + 1) == 2 * step)
        #expect(PeerAccounts.counted(10 * step) == 10 * step)
    }

    @Test("No user has more connections than one may, nor all together more than all may")
    func connections() {
        let limits = ServerLimits(maximumConnections: 3, maximumConnectionsPerUser: 2)
        var accounts = PeerAccounts()
        func admit(_ uid: UInt32) -> LimitReached.Limit? { accounts.admit(uid, limits) }
        #expect([admit(1), admit(1), admit(1)] == [nil, nil, .connectionsPerUser])
        #expect([admit(2), admit(2)] == [nil, .connections])
        accounts.remove(id(0), 1)
        #expect([admit(1), admit(3)] == [nil, .connections])
        #expect(accounts.connections == 3)
    }

    @Test("Above the limit the largest go, until there is room for a while")
    func largest() {
        var accounts = PeerAccounts()
        let limit = 16 * step
        #expect(hold(&accounts, 0, 8 * step, limit: limit) == [])
        #expect(hold(&accounts, 1, 2 * step, limit: limit) == [])
        #expect(hold(&accounts, 2, 6 * step, limit: limit) == [], "exactly the limit")
        #expect(hold(&accounts, 1, 3 * step, limit: limit) == [0])
        #expect(accounts.bytes == 9 * step)
        // An eighth stays free: closing 5 is not enough of it.
        #expect(hold(&accounts, 3, 5 * step, limit: limit) == [])
        #expect(hold(&accounts, 4, 4 * step, limit: limit) == [2])
        #expect(accounts.bytes == 12 * step)
    }

    @Test("The user who holds most loses connections, though another's are larger")
    func heaviestUser() {
        var accounts = PeerAccounts()
        for uid in [1, 2, 2, 2, 2, 2, 3] as [UInt32] { _ = accounts.admit(uid, ServerLimits()) }
        let limit = 16 * step
        #expect(hold(&accounts, 0, uid: 1, 6 * step, limit: limit) == [])
        for number in 1...5 { #expect(hold(&accounts, number, uid: 2, 2 * step, limit: limit) == []) }
        #expect(hold(&accounts, 6, uid: 3, 2 * step, limit: limit).isSubset(of: [1, 2, 3, 4, 5]))
        #expect(hold(&accounts, 0, uid: 1, 12 * step, limit: limit) == [0], "now it holds most itself")
    }

    @Test("What is about to be closed counts no more, and is counted again while its calls are under way")
    func closing() {
        var accounts = PeerAccounts()
        let limit = 8 * step
        #expect(hold(&accounts, 0, 10 * step, limit: limit) == [0])
        #expect(accounts.bytes == 0)
        #expect(hold(&accounts, 0, 12 * step, limit: limit) == [], "it doesn't know yet")
        #expect(accounts.bytes == 0)
        #expect(hold(&accounts, 0, 9 * step, isClosed: true, limit: limit) == [], "it can't be closed twice")
        #expect(accounts.bytes == 9 * step)
        #expect(hold(&accounts, 1, 2 * step, limit: limit) == [1])
        accounts.remove(id(0), 1)
        accounts.remove(id(1), 1)
        #expect(accounts.bytes == 0)
    }

    @Test("Whatever is done, the sum is that of its parts and never stays above the limit")
    func random() {
        var generator = Generator(state: 7)
        var accounts = PeerAccounts()
        let limits = ServerLimits(maximumConnections: 40, maximumConnectionsPerUser: 30)
        let limit = 100 * step
        var held: [Int: Int] = [:]
        var closings = 0
        for _ in 0..<100_000 {
            let number = Int.random(in: 0..<things.count, using: &generator)
            let uid = UInt32(number % 3)
            switch (held[number], Int.random(in: 0..<10, using: &generator)) {
            case (nil, _):
                if accounts.admit(uid, limits) == nil { held[number] = 0 }
            case (_, 0):
                accounts.remove(id(number), uid)
                held[number] = nil
            default:
                let counted = PeerAccounts.counted(Int.random(in: 0..<20 * step, using: &generator))
                held[number] = counted
                for closed in hold(&accounts, number, uid: uid, counted, limit: limit) {
                    closings += 1
                    accounts.remove(id(closed), UInt32(closed % 3))
                    held[closed] = nil
                }
            }
            #expect(accounts.bytes == held.values.reduce(0, +))
            #expect(accounts.bytes <= limit)
            #expect(accounts.connections == held.count)
        }
        #expect(closings > 100)
    }

    /// A fixed sequence (xorshift64).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }
}
