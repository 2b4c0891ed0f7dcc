internal import NIOCore
internal import Synchronization

/// The calls of one connection that are in flight, in the order in which they arrived, and what is ready to
/// be sent for them. No I/O: the reader admits calls, handlers complete them, the writer takes batches.
final class ReplyQueue: Sendable {
    /// A call's place; a oneway call has none, as nothing is sent for it.
    struct Ticket: Sendable {
        let sequence: Int?
    }

    enum Batch: Sendable {
        /// Frames to be written, in order. Asking for the next batch says that they were.
        case replies([ByteBuffer])
        /// Everything is answered and written, and no call comes any more.
        case drained
        /// The peer is gone.
        case gone
    }

    /// Whether another call may be admitted.
    enum Room: Sendable {
        case available
        /// The window is full, and nobody may wait for it any more.
        case full
        /// The peer is gone.
        case gone
    }

    enum Signal: Sendable {
        /// No call comes any more and all are answered; some replies may not be written yet.
        case settled
        /// A reply couldn't be encoded; the order of replies can't be kept, so the connection must end.
        case failed(any Error)
    }

    /// How many bytes of replies may wait before no further call is read.
    static let maximumUnwrittenBytes = 1_048_576

    private let state: Mutex<State>
    private let signal: @Sendable (Signal) -> Void

    init(maximumCallsInFlight: Int, signal: @escaping @Sendable (Signal) -> Void) {
        state = Mutex(State(maximumCallsInFlight: maximumCallsInFlight))
        self.signal = signal
    }

    /// Suspends while the window is full. To be called by the reader only.
    func waitForRoom() async -> Room {
        if let room = state.withLock({ $0.room }) { return room }
        return await withCheckedContinuation { continuation in
            let room = state.withLock { state in
                if state.room == nil { state.reader = continuation }
                return state.room
            }
            if let room { continuation.resume(returning: room) }
        }
    }

    /// Says that the reader is to wait for room no more: the server comes to its end.
    func stopWaiting() {
        let reader = state.withLock { state in
            state.mustNotWait = true
            return state.takeReader()
        }
        reader?.resume()
    }

    /// Takes a call in.
    func admit(isOneway: Bool) -> Ticket {
        state.withLock { $0.admit(isOneway: isOneway) }
    }

    /// Ends a call with its last reply. A oneway call has none.
    func complete(_ ticket: Ticket, _ reply: ByteBuffer? = nil) {
        let (wakeUps, hasSettled) = state.withLock { state in
            (state.complete(ticket.sequence, reply), state.settles())
        }
        wakeUps.resume()
        if hasSettled { signal(.settled) }
    }

    /// Sends a reply that isn't the last, and suspends until it is written.
    /// - Returns: false once the peer is gone.
    func send(_ reply: ByteBuffer, _ ticket: Ticket) async -> Bool {
        await withCheckedContinuation { sender in
            let wakeUps = state.withLock { $0.send(ticket.sequence, reply, sender) }
            guard let wakeUps else { return sender.resume(returning: false) }
            wakeUps.resume()
        }
    }

    /// Says that no call comes any more.
    func finish() {
        let (wakeUps, hasSettled) = state.withLock { state in
            state.isFinished = true
            return (WakeUps(writer: state.takeWriter()), state.settles())
        }
        wakeUps.resume()
        if hasSettled { signal(.settled) }
    }

    /// Says that the peer is gone: whoever waits here is told so.
    func abort() {
        state.withLock { $0.abort() }.resume()
    }

    /// Gives the connection up because of `error`.
    func abort(because error: any Error) {
        abort()
        signal(.failed(error))
    }

    /// Acknowledges the batch before and suspends until there is another. To be called by the writer only.
    func nextBatch() async -> Batch {
        state.withLock { $0.acknowledge() }.resume()
        while true {
            if let batch = state.withLock({ $0.takeBatch() }) { return batch }
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let mustWait = state.withLock { state in
                    guard !state.hasBatch else { return false }
                    state.writer = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        }
    }
}
