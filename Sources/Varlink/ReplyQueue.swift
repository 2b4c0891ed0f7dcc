internal import NIOCore

/// The calls of one connection that are in flight, in the order in which they arrived, and what is ready to
/// be sent for them. Pure: belongs to the connection's event loop.
struct ReplyQueue {
    /// Waits until its reply is written; learns whether the peer is still there.
    typealias Sender = CheckedContinuation<Bool, Never>

    /// A call's place; a oneway call has none, as nothing is sent for it.
    struct Ticket: Sendable {
        let sequence: Int?
        /// What the call takes in memory until its handler has ended, in bytes, roughly.
        let cost: Int
    }

    /// Replies that are ready to be written, in order.
    struct Batch {
        var bytes: ByteBuffer
        /// How many calls are answered for good by it.
        var calls: Int
        var senders: [Sender]
    }

    private struct Slot {
        var streamed: [(reply: ByteBuffer, sender: Sender)] = []
        var last: ByteBuffer?
    }

    /// How many bytes of replies may wait before no further call is read.
    static let maximumUnwrittenBytes = 1_048_576
    /// How much calls may take before no further one is read; less while all connections together hold much.
    static let maximumCost = 1_048_576
    static let maximumCostUnderPressure = 65_536

    private let maximumCallsInFlight: Int
    private var slots = CircularBuffer<Slot>()
    /// The sequence number of the first slot.
    private var firstSequence = 0
    /// Calls admitted whose last reply isn't written yet, or, oneway, that aren't completed yet.
    private var callsInFlight = 0
    /// What handlers that run take.
    private var cost = 0
    /// Bytes of replies that aren't written yet, and of those the ones that were taken to be written.
    private var unwrittenBytes = 0
    private var writtenNow = 0
    private var isGone = false

    init(maximumCallsInFlight: Int) {
        self.maximumCallsInFlight = maximumCallsInFlight
    }

    /// Whether another call may be admitted. One always may when none is in flight.
    ///
    /// - Parameter underPressure: whether all connections together hold much.
    func hasRoom(underPressure: Bool = false) -> Bool {
        guard callsInFlight < maximumCallsInFlight, unwrittenBytes < Self.maximumUnwrittenBytes,
            cost < Self.maximumCost
        else { return false }
        return !underPressure
            || (callsInFlight < Admission.callsUnderPressure && cost < Self.maximumCostUnderPressure)
    }

    /// What calls and replies take in memory, in bytes.
    var heldBytes: Int { cost + unwrittenBytes }

    /// Whether no call is in flight.
    var isIdle: Bool { callsInFlight == 0 }

    /// Whether replies wait for the peer to read others.
    var isBeingWritten: Bool { writtenNow > 0 }

    /// Whether all calls have their last reply; some replies may not be written yet.
    var isSettled: Bool { slots.allSatisfy { $0.last != nil } }

    /// Whether all replies were taken and written.
    var isWritten: Bool { slots.isEmpty && unwrittenBytes == 0 }

    /// Takes a call in.
    ///
    /// - Parameter cost: what it takes in memory until its handler has ended.
    mutating func admit(isOneway: Bool, cost: Int = 0) -> Ticket {
        callsInFlight += 1
        self.cost += cost
        guard !isOneway else { return Ticket(sequence: nil, cost: cost) }
        slots.append(Slot())
        return Ticket(sequence: firstSequence + slots.count - 1, cost: cost)
    }

    /// Ends a call with its last reply. A oneway call has none.
    mutating func complete(_ ticket: Ticket, _ reply: ByteBuffer?) {
        cost -= ticket.cost
        guard let sequence = ticket.sequence else {
            callsInFlight -= 1
            return
        }
        guard !isGone, let reply, let index = index(of: sequence) else { return }
        slots[index].last = reply
        unwrittenBytes += reply.readableBytes
    }

    /// Takes a reply that isn't the last.
    ///
    /// - Returns: false when the peer is gone; then nothing is taken.
    mutating func stream(_ ticket: Ticket, _ reply: ByteBuffer, _ sender: Sender) -> Bool {
        guard !isGone, let sequence = ticket.sequence, let index = index(of: sequence) else { return false }
        slots[index].streamed.append((reply, sender))
        unwrittenBytes += reply.readableBytes
        return true
    }

    /// Takes out what can be written now; nil when that is nothing.
    mutating func takeBatch() -> Batch? {
        var replies: [ByteBuffer] = []
        var batch = Batch(bytes: ByteBuffer(), calls: 0, senders: [])
        while let slot = slots.first {
            for (reply, sender) in slot.streamed {
                replies.append(reply)
                batch.senders.append(sender)
            }
            guard let last = slot.last else {
                if !slot.streamed.isEmpty { slots[slots.startIndex].streamed = [] }
                break
            }
            replies.append(last)
            slots.removeFirst()
            firstSequence += 1
            batch.calls += 1
        }
        guard var bytes = replies.first else { return nil }
        if replies.count > 1 {
            bytes.reserveCapacity(replies.reduce(0) { $0 + $1.readableBytes })
            for reply in replies.dropFirst() { bytes.writeImmutableBuffer(reply) }
        }
        batch.bytes = bytes
        writtenNow += bytes.readableBytes
        return batch
    }

    /// Learns that a batch was written.
    mutating func acknowledge(calls: Int, bytes: Int) {
        callsInFlight -= calls
        unwrittenBytes -= bytes
        writtenNow -= bytes
    }

    /// The peer is gone: nothing is taken or sent any more.
    ///
    /// - Returns: who still waits for replies to be written.
    mutating func abort() -> [Sender] {
        isGone = true
        defer {
            slots.removeAll()
            unwrittenBytes = writtenNow
        }
        return slots.flatMap { $0.streamed.map(\.sender) }
    }

    private func index(of sequence: Int) -> CircularBuffer<Slot>.Index? {
        let offset = sequence - firstSequence
        guard offset >= 0, offset < slots.count else { return nil }
        return slots.index(slots.startIndex, offsetBy: offset)
    }
}
