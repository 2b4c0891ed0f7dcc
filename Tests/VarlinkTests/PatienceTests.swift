import NIOCore
import Testing

@testable import Varlink

@Suite("How long a connection waits for its peer") struct PatienceTests {
    private let limits = ConnectionLimits(idleTimeout: .seconds(600), partialCallTimeout: .seconds(30))

    private func time(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    @Test("A connection that never calls is given the idle time")
    func idle() {
        var patience = Patience(limits, now: time(5))
        #expect(patience.deadline == time(605))
        let isNew = patience.note(.call, progress: 0, now: time(100))
        #expect(!isNew)
        #expect(patience.deadline == time(605), "nothing has come")
        #expect(patience.limit == .idle)
    }

    @Test("Each call begins the idle time anew, also one that was answered at once")
    func calls() {
        var patience = Patience(limits, now: time(0))
        let isNew = patience.note(.call, progress: 1, now: time(100))
        #expect(isNew)
        #expect(patience.deadline == time(700))
    }

    @Test("A call that is under way may take for ever")
    func underWay() {
        var patience = Patience(limits, now: time(0))
        let isNew = patience.note(.nothing, progress: 0, now: time(1))
        #expect(!isNew && patience.deadline == nil && patience.limit == nil)
        _ = patience.note(.call, progress: 1, now: time(5000))
        #expect(patience.deadline == time(5600))
    }

    @Test("A byte now and then is not a call")
    func trickle() {
        var patience = Patience(limits, now: time(0))
        for second in 1...29 { _ = patience.note(.restOfCall, progress: 0, now: time(Int64(second))) }
        #expect(patience.deadline == time(31))
        #expect(patience.limit == .partialCall)
        _ = patience.note(.restOfCall, progress: 1, now: time(30))
        #expect(patience.deadline == time(60), "the call was there, and the next one has begun")
    }

    @Test("Replies that aren't read are waited for as long as a call, from the last that was written")
    func reading() {
        var patience = Patience(limits, now: time(0))
        _ = patience.note(.reading, progress: 0, now: time(10))
        _ = patience.note(.reading, progress: 0, now: time(20))
        #expect(patience.deadline == time(610))
        #expect(patience.limit == .unreadReplies)
        _ = patience.note(.reading, progress: 1, now: time(30))
        #expect(patience.deadline == time(630))
    }

    @Test("Zero is for ever, but for the end")
    func forEver() {
        var patience = Patience(ConnectionLimits(), now: time(0))
        #expect(patience.deadline == nil)
        _ = patience.note(.restOfCall, progress: 0, now: time(1))
        #expect(patience.deadline == nil)
        _ = patience.note(.end, progress: 0, now: time(2))
        #expect(patience.deadline == time(7))
        #expect(patience.limit == nil)
    }
}
