import NIOCore
import Synchronization
import Testing

@testable import Varlink

@Suite("The order of replies", .timeLimit(.minutes(1))) struct ReplyQueueTests {
    private func queue(window: Int = 10, signals: Recorder<String> = Recorder()) -> ReplyQueue {
        ReplyQueue(maximumCallsInFlight: window) { signal in
            switch signal {
            case .settled: signals.record("settled")
            case .failed: signals.record("failed")
            }
        }
    }

    private func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    private func text(_ batch: ReplyQueue.Batch) -> String {
        switch batch {
        case .replies(let replies): replies.map { String(buffer: $0) }.joined(separator: " ")
        case .drained: "drained"
        case .gone: "gone"
        }
    }

    @Test("What is ready behind a call that isn't waits, and then goes out in one batch")
    func order() async {
        let queue = queue()
        let tickets = (0..<3).map { _ in queue.admit(isOneway: false) }
        queue.complete(tickets[0], bytes("a"))
        queue.complete(tickets[2], bytes("c"))
        #expect(text(await queue.nextBatch()) == "a")
        queue.complete(tickets[1], bytes("b"))
        #expect(text(await queue.nextBatch()) == "b c")
    }

    @Test("The writer waits until the head of the order is ready")
    func writerWaits() async {
        let queue = queue()
        let first = queue.admit(isOneway: false)
        let second = queue.admit(isOneway: false)
        queue.complete(second, bytes("b"))
        async let batch = queue.nextBatch()
        queue.complete(first, bytes("a"))
        #expect(["a", "a b"].contains(text(await batch)))
    }

    @Test("A window is full until the replies are written, and oneway calls count until they end")
    func window() async {
        let queue = queue(window: 2)
        let answered = queue.admit(isOneway: false)
        let oneway = queue.admit(isOneway: true)
        queue.complete(answered, bytes("a"))
        #expect(text(await queue.nextBatch()) == "a")
        async let room = queue.waitForRoom()
        queue.complete(oneway)
        #expect(await room == .available)
        _ = queue.admit(isOneway: true)
        queue.stopWaiting()
        #expect(await queue.waitForRoom() == .full)
        queue.finish()
        #expect(text(await queue.nextBatch()) == "drained")
        #expect(await queue.waitForRoom() == .available)
    }

    @Test("Replies that wait to be written close the window by their size, too")
    func bytesClose() async {
        let queue = queue()
        queue.complete(
            queue.admit(isOneway: false), ByteBuffer(repeating: 1, count: ReplyQueue.maximumUnwrittenBytes))
        queue.stopWaiting()
        #expect(await queue.waitForRoom() == .full)
        _ = await queue.nextBatch()
        queue.finish()
        _ = await queue.nextBatch()
        #expect(await queue.waitForRoom() == .available)
    }

    @Test("A reader that waits is told when the server ends or the peer is gone")
    func readerIsTold() async {
        for isGone in [false, true] {
            let queue = queue(window: 1)
            _ = queue.admit(isOneway: false)
            async let room = queue.waitForRoom()
            if isGone { queue.abort() } else { queue.stopWaiting() }
            #expect(await room == (isGone ? .gone : .full))
        }
    }

    @Test("Sending waits for the turn and for the write, and fails once the peer is gone")
    func streaming() async {
        let queue = queue()
        let first = queue.admit(isOneway: false)
        let stream = queue.admit(isOneway: false)
        async let sent = queue.send(bytes("s1"), stream)
        queue.complete(first, bytes("a"))
        var written = text(await queue.nextBatch())
        if written == "a" { written += " " + text(await queue.nextBatch()) }
        #expect(written == "a s1")
        async let next = queue.nextBatch()
        #expect(await sent)
        queue.complete(stream, bytes("s2"))
        #expect(text(await next) == "s2")

        let late = queue.admit(isOneway: false)
        async let refused = queue.send(bytes("x"), late)
        queue.abort()
        #expect(await !refused)
        #expect(await !queue.send(bytes("y"), late))
        #expect(text(await queue.nextBatch()) == "gone")
    }

    @Test("The end is told once, when all calls are answered and no more come")
    func settled() async {
        let signals = Recorder<String>()
        let queue = queue(signals: signals)
        let ticket = queue.admit(isOneway: false)
        queue.finish()
        #expect(signals.values.isEmpty)
        queue.complete(ticket, bytes("a"))
        #expect(signals.values == ["settled"])
        #expect(text(await queue.nextBatch()) == "a")
        #expect(text(await queue.nextBatch()) == "drained")
        queue.finish()
        #expect(signals.values == ["settled"])
    }
}
