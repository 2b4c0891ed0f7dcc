internal import NIOCore
internal import NIOPosix

/// A connection to a Varlink service.
///
/// Calls that run concurrently on one client are pipelined: each is sent at once, and the service answers
/// them in order. A call that is cancelled, and a stream that is left early, still hold up later calls
/// until the service has answered them.
public final class Client: Sendable {
    private let queue: ClientQueue

    private init(queue: ClientQueue) {
        self.queue = queue
    }

    /// Connects, calls `body`, and disconnects.
    /// - Parameters:
    ///   - socketPath: Where the service listens.
    ///   - maximumReplyBytes: The longest reply that is accepted; 64 MiB unless told.
    ///   - body: What to do with the connection. It must not be used afterwards.
    /// - Throws: ``ClientError/unreachable(path:errno:)`` when nobody can be reached, and what `body` throws.
    public static func withConnection<R: Sendable>(
        to socketPath: String, maximumReplyBytes: Int = 64 * 1_048_576, _ body: (Client) async throws -> R
    ) async throws -> R {
        let frames = try await ClientConnector(path: socketPath, limit: maximumReplyBytes).connect()
        let queue = ClientQueue()
        let client = Client(queue: queue)
        return try await frames.executeThenClose { inbound, outbound in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let end = await deliver(inbound, to: queue, limit: maximumReplyBytes)
                    queue.close(end ?? .disconnected(path: socketPath))
                }
                group.addTask {
                    while let outgoing = await queue.nextOutgoing() {
                        let isWritten = await write(outgoing, to: outbound)
                        for message in outgoing { message.written?.resume(returning: isWritten) }
                        if !isWritten { queue.close(.disconnected(path: socketPath)) }
                    }
                }
                defer {
                    queue.close(.disconnected(path: socketPath))
                    group.cancelAll()
                }
                return try await body(client)
            }
        }
    }

    /// Calls a method and waits for its reply.
    /// - Parameters:
    ///   - method: The full name of the method.
    ///   - parameters: The parameters, which must be coded as a JSON object.
    ///   - returning: The type of the reply's parameters.
    public func call<P: Encodable & Sendable, R: Decodable & Sendable>(
        _ method: String, _ parameters: P, returning: R.Type = R.self
    ) async throws(ClientError) -> R {
        let mailbox = ReplyMailbox(wantsMore: false)
        let message = CallMessage(method: method, parameters: parameters, more: nil, oneway: nil)
        try queue.submit(try message.frame(), mailbox)
        let reply = try ReplyMessage<R>.decode(try await mailbox.next())
        switch reply.result {
        case .success(let parameters): return parameters
        case .failure(let error): throw .remote(error)
        }
    }

    /// Sends a call and doesn't wait for its reply. Calls that are made one after the other are sent in that order.
    /// - Parameters:
    ///   - method: The full name of the method.
    ///   - parameters: The parameters as JSON, an object. It is not looked at.
    public func send(_ method: String, encoded parameters: [UInt8]) throws(ClientError) -> PendingReply {
        let mailbox = ReplyMailbox(wantsMore: false)
        try queue.submit(CallFrame.of(method, encoded: parameters), mailbox)
        return PendingReply(mailbox)
    }

    /// Calls a method that is to send no reply; returns once the call is written. Whether it is carried out
    /// isn't known.
    public func callOneway<P: Encodable & Sendable>(
        _ method: String, _ parameters: P
    ) async throws(ClientError) {
        let message = CallMessage(method: method, parameters: parameters, more: nil, oneway: true)
        try await queue.submitOneway(try message.frame())
    }

    /// Calls a method with `more`: each reply is an element. The call is sent when the first element is
    /// asked for. An error reply ends the sequence with ``ClientError/remote(_:)``.
    public func stream<P: Encodable & Sendable, R: Decodable & Sendable>(
        _ method: String, _ parameters: P, returning: R.Type = R.self
    ) -> some AsyncSequence<R, any Error> & Sendable {
        ReplySequence<P, R>(queue: queue, method: method, parameters: parameters)
    }

    /// Hands replies to those who wait for them, until none comes any more.
    /// - Returns: why, when it isn't simply that the service is gone.
    private static func deliver(
        _ inbound: NIOAsyncChannelInboundStream<FrameSplitter.Frame>, to queue: ClientQueue, limit: Int
    ) async -> ClientError? {
        do {
            for try await frame in inbound {
                guard case .message(let reply) = frame else { return .frameTooLong(limit: limit) }
                guard let mailbox = queue.addressee() else {
                    return .invalidReply("it answers no call")
                }
                await mailbox.deliver(reply)
                if !mailbox.wantsMore || !ContinuesMark.isSet(in: reply) {
                    queue.addresseeIsServed()
                }
            }
        } catch {
            // The service is gone, and it doesn't matter how.
        }
        return nil
    }

    private static func write(
        _ outgoing: [ClientQueue.Outgoing], to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async -> Bool {
        do {
            try await outbound.write(contentsOf: outgoing.map(\.message))
            return true
        } catch {
            return false
        }
    }
}
