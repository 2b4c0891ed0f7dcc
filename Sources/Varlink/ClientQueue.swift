internal import NIOCore
internal import Synchronization

/// What a client has to send, and the calls whose replies it waits for, in the order in which they are sent.
final class ClientQueue: Sendable {
    struct Outgoing: Sendable {
        let message: ByteBuffer
        /// Told true once the message is written, false when it never will be.
        let written: CheckedContinuation<Bool, Never>?
    }

    private struct State {
        var outgoing: [Outgoing] = []
        var waiting = CircularBuffer<ReplyMailbox>()
        var writer: CheckedContinuation<Void, Never>?
        var failure: ClientError?

        mutating func takeWriter() -> CheckedContinuation<Void, Never>? {
            defer { writer = nil }
            return writer
        }
    }

    private let state = Mutex(State())

    /// Queues a call; its replies come to `mailbox`.
    func submit(_ message: ByteBuffer, _ mailbox: ReplyMailbox) throws(ClientError) {
        let (failure, writer) = state.withLock { state in
            guard state.failure == nil else {
                return (state.failure, nil as CheckedContinuation<Void, Never>?)
            }
            state.outgoing.append(Outgoing(message: message, written: nil))
            state.waiting.append(mailbox)
            return (nil, state.takeWriter())
        }
        writer?.resume()
        if let failure { throw failure }
    }

    /// Queues a call that gets no reply, and waits until it is written.
    func submitOneway(_ message: ByteBuffer) async throws(ClientError) {
        let isWritten = await withCheckedContinuation { written in
            let (isOpen, writer) = state.withLock { state in
                guard state.failure == nil else { return (false, nil as CheckedContinuation<Void, Never>?) }
                state.outgoing.append(Outgoing(message: message, written: written))
                return (true, state.takeWriter())
            }
            writer?.resume()
            if !isOpen { written.resume(returning: false) }
        }
        if !isWritten, let failure = state.withLock({ $0.failure }) { throw failure }
    }

    /// What is to be written next; nil once the connection is closed. To be called by the writer only.
    func nextOutgoing() async -> [Outgoing]? {
        while true {
            let (outgoing, isOpen) = state.withLock { state in
                defer { state.outgoing = [] }
                return (state.outgoing, state.failure == nil)
            }
            if !outgoing.isEmpty { return outgoing }
            guard isOpen else { return nil }
            await withCheckedContinuation { (writer: CheckedContinuation<Void, Never>) in
                let mustWait = state.withLock { state in
                    guard state.outgoing.isEmpty, state.failure == nil else { return false }
                    state.writer = writer
                    return true
                }
                if !mustWait { writer.resume() }
            }
        }
    }

    /// The call that the next reply belongs to; nil when nobody waits for one.
    func addressee() -> ReplyMailbox? {
        state.withLock { $0.waiting.first }
    }

    /// Says that the call that ``addressee()`` returns has all its replies.
    func addresseeIsServed() {
        state.withLock { _ = $0.waiting.popFirst() }
    }

    /// Ends everything that waits here with `error`.
    func close(_ error: ClientError) {
        let (writer, mailboxes, outgoing) = state.withLock { state in
            state.failure = state.failure ?? error
            defer {
                state.waiting.removeAll()
                state.outgoing = []
            }
            return (state.takeWriter(), Array(state.waiting), state.outgoing)
        }
        writer?.resume()
        for mailbox in mailboxes { mailbox.fail(error) }
        for message in outgoing { message.written?.resume(returning: false) }
    }
}
