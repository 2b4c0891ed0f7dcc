internal import NIOCore

/// A call's place in the order of replies of its connection.
struct ReplySlot: Sendable {
    let connection: Connection
    let ticket: ReplyQueue.Ticket

    var format: ReplyFormat { connection.service.format }

    /// Sends a reply that isn't the last, and suspends until it is written.
    /// - Returns: false once the peer is gone.
    func send(_ reply: ByteBuffer) async -> Bool {
        await withCheckedContinuation { sender in
            let submit = { @Sendable [connection, ticket] in
                guard connection.queue.stream(ticket, reply, sender) else {
                    return sender.resume(returning: false)
                }
                connection.proceed()
            }
            if connection.eventLoop.inEventLoop { submit() } else { connection.eventLoop.execute(submit) }
        }
    }

    func failed(_ error: any Error) { connection.failed(error) }
}

/// The last reply of a call on its way to its connection.
struct Delivery: Sendable {
    let slot: ReplySlot
    /// Nil when it couldn't be encoded.
    let bytes: ByteBuffer?
}

/// Answers a call, once, from any thread. See ``Method/deferred(_:quickly:handler:)``.
public struct Reply<R: Encodable & Sendable>: Sendable {
    let slot: ReplySlot

    /// Answers the call.
    public func send(_ result: Result<R, ErrorReply>) {
        var replies = ReplyBatch()
        replies.add(result, to: self)
        replies.send()
    }
}

/// Replies to several calls that go out together: each event loop is woken once for all of them.
public struct ReplyBatch: Sendable {
    private var deliveries: [(eventLoop: any EventLoop, replies: [Delivery])] = []

    /// Creates an empty batch.
    public init() {}

    /// Adds the reply of a call, whatever its type.
    public mutating func add<R>(_ result: Result<R, ErrorReply>, to reply: Reply<R>) {
        let slot = reply.slot
        do {
            switch result {
            case .success(let value): add(try slot.format.last(value), slot)
            case .failure(let error): add(try slot.format.error(error), slot)
            }
        } catch {
            slot.failed(error)
            add(nil, slot)
        }
    }

    /// Adds the reply of a call whose parameters are encoded already.
    ///
    /// - Parameter parameters: a JSON object.
    public mutating func add<R>(encoded parameters: [UInt8], to reply: Reply<R>) {
        add(reply.slot.format.last(encoded: parameters), reply.slot)
    }

    private mutating func add(_ bytes: ByteBuffer?, _ slot: ReplySlot) {
        let delivery = Delivery(slot: slot, bytes: bytes)
        let eventLoop = slot.connection.eventLoop
        if let index = deliveries.firstIndex(where: { $0.eventLoop === eventLoop }) {
            deliveries[index].replies.append(delivery)
        } else {
            deliveries.append((eventLoop, [delivery]))
        }
    }

    /// Sends them.
    public consuming func send() {
        for (eventLoop, replies) in deliveries { Connection.deliver(replies, on: eventLoop) }
    }
}
