import NIOCore
import Testing

@testable import Varlink

@Suite("The order of replies", .timeLimit(.minutes(1))) struct ReplyQueueTests {
    private func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    private func text(_ batch: ReplyQueue.Batch?) -> String? { batch.map { String(buffer: $0.bytes) } }

    private func text(_ queue: inout ReplyQueue) -> String? { text(queue.takeBatch()) }

    private func acknowledge(_ batch: ReplyQueue.Batch?, in queue: inout ReplyQueue) {
        guard let batch else { return }
        queue.acknowledge(calls: batch.calls, bytes: batch.bytes.readableBytes)
    }

    @Test("What is ready behind a call that isn't waits, and then goes out in one batch")
    func order() {
        var queue = ReplyQueue(maximumCallsInFlight: 10)
        let tickets = (0..<4).map { _ in queue.admit(isOneway: false) }
        queue.complete(tickets[0], bytes("a"))
        queue.complete(tickets[2], bytes("c"))
        #expect(text(&queue) == "a")
        #expect(text(&queue) == nil)
        queue.complete(tickets[1], bytes("b"))
        #expect(text(&queue) == "bc")
        #expect(!queue.isSettled)
        queue.complete(tickets[3], bytes("d"))
        #expect(queue.isSettled)
        #expect(text(&queue) == "d")
    }

    @Test("A window is full until the replies are written, and oneway calls count until they end")
    func window() {
        var queue = ReplyQueue(maximumCallsInFlight: 2)
        let answered = queue.admit(isOneway: false)
        let oneway = queue.admit(isOneway: true)
        #expect(!queue.hasRoom())
        queue.complete(answered, bytes("a"))
        let batch = queue.takeBatch()
        #expect(!queue.hasRoom())
        acknowledge(batch, in: &queue)
        #expect(queue.hasRoom())
        _ = queue.admit(isOneway: true)
        #expect(!queue.hasRoom())
        queue.complete(oneway, nil)
        #expect(queue.hasRoom())
        #expect(queue.isSettled && queue.isWritten)
    }

    @Test("Replies that wait to be written close the window by their size, too")
    func bytesClose() {
        var queue = ReplyQueue(maximumCallsInFlight: 10)
        queue.complete(
            queue.admit(isOneway: false), ByteBuffer(repeating: 1, count: ReplyQueue.maximumUnwrittenBytes))
        #expect(!queue.hasRoom())
        let batch = queue.takeBatch()
        #expect(!queue.hasRoom() && !queue.isWritten)
        acknowledge(batch, in: &queue)
        #expect(queue.hasRoom() && queue.isWritten)
    }

    @Test("Sending waits for the turn and for the write, and fails once the peer is gone")
    func streaming() async {
        var queue = ReplyQueue(maximumCallsInFlight: 10)
        let first = queue.admit(isOneway: false)
        let stream = queue.admit(isOneway: false)
        let wasSent = await withCheckedContinuation { (sender: ReplyQueue.Sender) in
            let isTakens1 = queue.stream(stream, bytes("s1"), sender)
            #expect(isTakens1)
            #expect(text(&queue) == nil)
            queue.complete(first, bytes("a"))
            let batch = queue.takeBatch()
            #expect(text(batch) == "as1")
            #expect(batch?.calls == 1)
            for sender in batch?.senders ?? [] { sender.resume(returning: true) }
        }
        #expect(wasSent)
        let wasSentLater = await withCheckedContinuation { (sender: ReplyQueue.Sender) in
            let isTakens2 = queue.stream(stream, bytes("s2"), sender)
            #expect(isTakens2)
            for sender in queue.abort() { sender.resume(returning: false) }
        }
        #expect(!wasSentLater)
        let mayWait = await withCheckedContinuation { (sender: ReplyQueue.Sender) in
            let isTakens3 = queue.stream(stream, bytes("s3"), sender)
            #expect(!isTakens3)
            sender.resume(returning: false)
        }
        #expect(!mayWait)
        queue.complete(stream, bytes("late"))
        #expect(text(&queue) == nil)
    }
}
