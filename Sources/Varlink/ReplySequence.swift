internal import NIOCore

/// The replies of a call with `more`. The call is sent when the first of them is asked for, once for each
/// iterator.
struct ReplySequence<P: Encodable & Sendable, R: Decodable & Sendable>: AsyncSequence, Sendable {
    let queue: ClientQueue
    let method: String
    let parameters: P

    func makeAsyncIterator() -> Iterator {
        Iterator(sequence: self)
    }

    struct Iterator: AsyncIteratorProtocol {
        private enum State {
            case idle
            case receiving(Subscription)
            case finished
        }

        private let sequence: ReplySequence
        private var state = State.idle

        fileprivate init(sequence: ReplySequence) {
            self.sequence = sequence
        }

        mutating func next() async throws -> R? {
            try await next(isolation: nil)
        }

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> R? {
            let subscription: Subscription
            switch state {
            case .finished: return nil
            case .receiving(let present): subscription = present
            case .idle:
                let message = CallMessage(
                    method: sequence.method, parameters: sequence.parameters, more: true, oneway: nil)
                subscription = Subscription()
                state = .finished
                try sequence.queue.submit(try message.frame(), subscription.mailbox)
            }
            state = .finished
            let reply = try ReplyMessage<R>.decode(try await subscription.mailbox.next())
            if reply.continues { state = .receiving(subscription) }
            do {
                return try reply.result.get()
            } catch {
                throw ClientError.remote(error)
            }
        }
    }

    /// Tells the mailbox when the iterator is dropped before the last reply.
    private final class Subscription: Sendable {
        let mailbox = ReplyMailbox(wantsMore: true)

        deinit { mailbox.abandon() }
    }
}
