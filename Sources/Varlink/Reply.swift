internal import NIOCore

/// A call's place in the order of replies of its connection, for a handler that streams.
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
                connection.flush()
            }
            if connection.eventLoop.inEventLoop { submit() } else { connection.eventLoop.execute(submit) }
        }
    }

    func failed(_ error: any Error) { connection.failed(error) }
}

/// Where the one reply of a deferred call goes.
struct PendingReply: Sendable {
    let connection: Connection
    let ticket: ReplyQueue.Ticket
}

/// The last reply of a call on its way to its connection.
struct Delivery: Sendable {
    let connection: Connection
    let ticket: ReplyQueue.Ticket
    /// Nil for a oneway call.
    let bytes: ByteBuffer?
}

/// Answers a call, once, from any thread. See ``Method/deferred(_:quickly:handler:)``.
public struct Reply<R: Encodable & Sendable>: Sendable {
    let pending: PendingReply

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
        let pending = reply.pending
        let format = pending.connection.service.format
        do {
            switch result {
            case .success(let value): add(try format.last(value), pending)
            case .failure(let error): add(try format.error(error), pending)
            }
        } catch {
            pending.connection.failed(error)
            add(nil, pending)
        }
    }

    /// Adds the reply of a call whose parameters are encoded already.
    ///
    /// - Parameter parameters: a JSON object.
    public mutating func add<R>(encoded parameters: [UInt8], to reply: Reply<R>) {
        add(reply.pending.connection.service.format.last(encoded: parameters), reply.pending)
    }

    private mutating func add(_ bytes: ByteBuffer?, _ pending: PendingReply) {
        let isOneway = pending.ticket.sequence == nil
        let delivery = Delivery(
            connection: pending.connection, ticket: pending.ticket, bytes: isOneway ? nil : bytes)
        let eventLoop = pending.connection.eventLoop
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
