internal import NIOCore

extension ReplyQueue {
    typealias Sender = CheckedContinuation<Bool, Never>

    /// The reader, and what it is told.
    struct ReaderWakeUp {
        let continuation: CheckedContinuation<Room, Never>
        let room: Room

        func resume() { continuation.resume(returning: room) }
    }

    /// Who is to be resumed, outside the lock.
    struct WakeUps {
        var reader: ReaderWakeUp?
        var writer: CheckedContinuation<Void, Never>?
        var senders: [Sender] = []
        /// What senders are told: true to go on, false that the peer is gone.
        var answer = true

        func resume() {
            reader?.resume()
            writer?.resume()
            for sender in senders { sender.resume(returning: answer) }
        }
    }

    struct Slot {
        var streamed: [(reply: ByteBuffer, sender: Sender)] = []
        var last: ByteBuffer?
    }

    struct State {
        let maximumCallsInFlight: Int
        var slots = CircularBuffer<Slot>()
        /// The sequence number of the first slot.
        var firstSequence = 0
        /// Calls admitted whose last reply isn't written yet, or, oneway, that aren't completed yet.
        var callsInFlight = 0
        var unwrittenBytes = 0
        /// How many calls are answered for good by the batch that is being written.
        var callsBeingWritten = 0
        var bytesBeingWritten = 0
        var sendersBeingWritten: [Sender] = []
        var isFinished = false
        var isGone = false
        var hasSettled = false
        var mustNotWait = false
        var reader: CheckedContinuation<Room, Never>?
        var writer: CheckedContinuation<Void, Never>?

        init(maximumCallsInFlight: Int) {
            self.maximumCallsInFlight = maximumCallsInFlight
        }

        /// nil when the reader has to wait.
        var room: Room? {
            if isGone { return .gone }
            if callsInFlight < maximumCallsInFlight, unwrittenBytes < ReplyQueue.maximumUnwrittenBytes {
                return .available
            }
            return mustNotWait ? .full : nil
        }

        var hasBatch: Bool {
            if isGone { return true }
            guard let head = slots.first else { return isFinished }
            return head.last != nil || !head.streamed.isEmpty
        }

        mutating func admit(isOneway: Bool) -> Ticket {
            callsInFlight += 1
            guard !isOneway else { return Ticket(sequence: nil) }
            slots.append(Slot())
            return Ticket(sequence: firstSequence + slots.count - 1)
        }

        mutating func complete(_ sequence: Int?, _ reply: ByteBuffer?) -> WakeUps {
            guard let sequence, let reply else {
                callsInFlight -= 1
                return WakeUps(reader: takeReader())
            }
            guard !isGone, let index = index(of: sequence) else { return WakeUps() }
            slots[index].last = reply
            unwrittenBytes += reply.readableBytes
            return WakeUps(writer: sequence == firstSequence ? takeWriter() : nil)
        }

        /// nil when the peer is gone.
        mutating func send(_ sequence: Int?, _ reply: ByteBuffer, _ sender: Sender) -> WakeUps? {
            guard !isGone, let sequence, let index = index(of: sequence) else { return nil }
            slots[index].streamed.append((reply, sender))
            unwrittenBytes += reply.readableBytes
            return WakeUps(writer: sequence == firstSequence ? takeWriter() : nil)
        }

        mutating func takeBatch() -> Batch? {
            if isGone { return .gone }
            var replies: [ByteBuffer] = []
            while let head = slots.first {
                for (reply, sender) in head.streamed {
                    replies.append(reply)
                    sendersBeingWritten.append(sender)
                }
                guard let last = head.last else {
                    if !head.streamed.isEmpty { slots[slots.startIndex].streamed = [] }
                    break
                }
                replies.append(last)
                slots.removeFirst()
                firstSequence += 1
                callsBeingWritten += 1
            }
            if replies.isEmpty { return isFinished && slots.isEmpty ? .drained : nil }
            bytesBeingWritten = replies.reduce(0) { $0 + $1.readableBytes }
            return .replies(replies)
        }

        mutating func acknowledge() -> WakeUps {
            callsInFlight -= callsBeingWritten
            unwrittenBytes -= bytesBeingWritten
            callsBeingWritten = 0
            bytesBeingWritten = 0
            defer { sendersBeingWritten = [] }
            return WakeUps(reader: takeReader(), senders: sendersBeingWritten, answer: !isGone)
        }

        mutating func abort() -> WakeUps {
            isGone = true
            defer {
                slots.removeAll()
                sendersBeingWritten = []
            }
            return WakeUps(
                reader: takeReader(), writer: takeWriter(),
                senders: slots.flatMap { $0.streamed.map(\.sender) } + sendersBeingWritten, answer: false)
        }

        /// Whether all calls are answered for the first time since no more come.
        mutating func settles() -> Bool {
            guard isFinished, !isGone, !hasSettled, slots.allSatisfy({ $0.last != nil }) else { return false }
            hasSettled = true
            return true
        }

        mutating func takeWriter() -> CheckedContinuation<Void, Never>? {
            defer { writer = nil }
            return writer
        }

        /// The reader, if it needn't wait any more.
        mutating func takeReader() -> ReaderWakeUp? {
            guard let room, let continuation = reader else { return nil }
            reader = nil
            return ReaderWakeUp(continuation: continuation, room: room)
        }

        private func index(of sequence: Int) -> CircularBuffer<Slot>.Index? {
            let offset = sequence - firstSequence
            guard offset >= 0, offset < slots.count else { return nil }
            return slots.index(slots.startIndex, offsetBy: offset)
        }
    }
}
