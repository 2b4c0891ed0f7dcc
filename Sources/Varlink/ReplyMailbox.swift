internal import NIOCore
internal import Synchronization

/// The replies of one call of a client, between the task that reads the connection and the one that waits.
final class ReplyMailbox: Sendable {
    typealias Reply = Result<ByteBuffer, ClientError>

    /// How many replies of a stream may wait before the connection isn't read any further.
    static let capacity = 16

    private struct State {
        var replies = CircularBuffer<ByteBuffer>()
        /// Why no reply comes any more.
        var failure: ClientError?
        /// Nobody waits any more; replies are dropped.
        var isAbandoned = false
        var consumer: CheckedContinuation<Reply, Never>?
        var producer: CheckedContinuation<Void, Never>?

        mutating func takeProducer() -> CheckedContinuation<Void, Never>? {
            defer { producer = nil }
            return producer
        }

        mutating func takeConsumer() -> CheckedContinuation<Reply, Never>? {
            defer { consumer = nil }
            return consumer
        }
    }

    private let state = Mutex(State())
    /// Whether replies marked `continues` are followed by others.
    let wantsMore: Bool

    init(wantsMore: Bool) {
        self.wantsMore = wantsMore
    }

    /// Puts a reply in; suspends while too many wait.
    func deliver(_ reply: ByteBuffer) async {
        let consumer = state.withLock { state in
            if !state.isAbandoned && state.consumer == nil { state.replies.append(reply) }
            return state.takeConsumer()
        }
        consumer?.resume(returning: .success(reply))
        await withCheckedContinuation { producer in
            let mustWait = state.withLock { state in
                guard state.replies.count >= Self.capacity, state.failure == nil else { return false }
                state.producer = producer
                return true
            }
            if !mustWait { producer.resume() }
        }
    }

    /// Says that no reply comes any more; those that are here can still be taken.
    func fail(_ error: ClientError) {
        let (consumer, producer) = state.withLock { state in
            state.failure = state.failure ?? error
            return (state.takeConsumer(), state.takeProducer())
        }
        consumer?.resume(returning: .failure(error))
        producer?.resume()
    }

    /// Says that nobody waits any more.
    func abandon() {
        let (consumer, producer) = state.withLock { state in
            state.isAbandoned = true
            state.replies.removeAll()
            return (state.takeConsumer(), state.takeProducer())
        }
        consumer?.resume(returning: .failure(.cancelled))
        producer?.resume()
    }

    /// Takes the next reply, and waits for it. Cancellation abandons the mailbox.
    func next() async throws(ClientError) -> ByteBuffer {
        let reply = await withTaskCancellationHandler {
            await withCheckedContinuation { (consumer: CheckedContinuation<Reply, Never>) in
                let (reply, producer) = state.withLock {
                    state -> (Reply?, CheckedContinuation<Void, Never>?) in
                    if state.isAbandoned { return (.failure(.cancelled), nil) }
                    if let reply = state.replies.popFirst() { return (.success(reply), state.takeProducer()) }
                    if let failure = state.failure { return (.failure(failure), nil) }
                    state.consumer = consumer
                    return (nil, nil)
                }
                producer?.resume()
                if let reply { consumer.resume(returning: reply) }
            }
        } onCancel: {
            abandon()
        }
        return try reply.get()
    }
}
