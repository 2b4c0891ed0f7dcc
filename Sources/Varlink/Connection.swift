internal import FoundationEssentials
internal import Logging
internal import NIOCore

/// Serves one connection: reads calls, starts them in their order, and writes their replies in that order.
struct Connection: Sendable {
    typealias Frames = NIOAsyncChannel<FrameSplitter.Frame, ByteBuffer>

    /// How long the end of a connection may take once all calls are answered: for a peer to read its
    /// replies, or to stop writing after a call that was refused.
    static let lingerTime = TimeAmount.seconds(5)

    let frames: Frames
    let peer: Peer
    let decoder: CallDecoder
    let format: ReplyFormat
    let limits: ConnectionLimits
    let logger: Logger
    private let queue: ReplyQueue

    private struct PeerIsGone: Error {}

    init(
        frames: Frames, peer: Peer, decoder: CallDecoder, format: ReplyFormat, limits: ConnectionLimits,
        logger: Logger
    ) {
        self.frames = frames
        self.peer = peer
        self.decoder = decoder
        self.format = format
        self.limits = limits
        self.logger = logger
        let channel = frames.channel
        queue = ReplyQueue(maximumCallsInFlight: limits.maximumCallsInFlight) { signal in
            switch signal {
            case .settled:
                let end = channel.eventLoop.scheduleTask(in: Self.lingerTime) { channel.close(promise: nil) }
                channel.closeFuture.whenComplete { _ in end.cancel() }
            case .failed(let error):
                logger.error("A Varlink reply could not be encoded: \(error)")
                channel.close(promise: nil)
            }
        }
    }

    /// Answers what has been read, and then closes the connection.
    func endInput() {
        queue.stopWaiting()
        frames.channel.triggerUserOutboundEvent(FrameHandler.Request.endInput, promise: nil)
    }

    /// Returns once the connection is closed and all its handlers have returned.
    func serve() async {
        let channel = frames.channel
        // Everything that waits for the peer waits in the queue, so this one place ends all of it.
        channel.closeFuture.whenComplete { [queue] _ in queue.abort() }
        await withTaskCancellationHandler {
            // Oneway calls outlive the connection: their peer may leave as soon as it has written them.
            await withDiscardingTaskGroup { oneways in
                do {
                    try await frames.executeThenClose { inbound, outbound in
                        let wasRefused = try await withThrowingDiscardingTaskGroup { calls in
                            calls.addImmediateTask { try await write(outbound) }
                            return await read(inbound, calls: &calls, oneways: &oneways)
                        }
                        if wasRefused {
                            channel.close(mode: .output, promise: nil)
                            try await channel.closeFuture.get()
                        }
                    }
                } catch {
                    logger.debug("A Varlink connection ended early: \(error)")
                }
            }
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private func write(
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        while true {
            switch await queue.nextBatch() {
            case .replies(let replies): try await outbound.write(contentsOf: replies)
            case .drained: return
            // Thrown to cancel the handlers, which are in the same group.
            case .gone: throw PeerIsGone()
            }
        }
    }

    /// Starts calls until none comes any more.
    /// - Returns: whether the last one was refused because it can't be read, so that nothing after it can be.
    private func read(
        _ inbound: NIOAsyncChannelInboundStream<FrameSplitter.Frame>,
        calls: inout ThrowingDiscardingTaskGroup<any Error>, oneways: inout DiscardingTaskGroup
    ) async -> Bool {
        defer { queue.finish() }
        do {
            for try await frame in inbound {
                let room = await queue.waitForRoom()
                if room == .full { return false }
                do throws(ErrorReply) {
                    let call = try decode(frame)
                    if room == .gone && !call.isOneway { continue }
                    start(call, calls: &calls, oneways: &oneways)
                } catch {
                    logger.debug("A Varlink call was refused: \(error)")
                    answer(queue.admit(isOneway: false), with: error)
                    frames.channel.triggerUserOutboundEvent(FrameHandler.Request.dropInput, promise: nil)
                    return true
                }
            }
        } catch {
            logger.debug("A Varlink connection can't be read any more: \(error)")
        }
        return false
    }

    private func decode(_ frame: FrameSplitter.Frame) throws(ErrorReply) -> CallEnvelope {
        switch frame {
        case .message(let bytes): try decoder.decode(bytes.withUnsafeReadableBytes { Data($0) })
        case .tooLong: throw CallDecoder.tooLong(limit: limits.maximumFrameBytes)
        }
    }

    private func start(
        _ call: CallEnvelope,
        calls: inout ThrowingDiscardingTaskGroup<any Error>, oneways: inout DiscardingTaskGroup
    ) {
        let ticket = queue.admit(isOneway: call.isOneway)
        let body: Method.Body
        switch call.action {
        case .run(let method): body = method
        case .refuse(let error): return answer(ticket, with: error, isOneway: call.isOneway)
        }
        let context = CallContext(
            peer: peer, wantsMore: call.wantsMore, isOneway: call.isOneway, method: call.method)
        let slot = ReplySlot(format: format, queue: queue, ticket: ticket)
        guard !call.isOneway else {
            oneways.addImmediateTask {
                _ = try? await body(context, slot)
                queue.complete(ticket)
            }
            return
        }
        calls.addImmediateTask {
            do {
                queue.complete(ticket, try await body(context, slot))
            } catch let error as ErrorReply {
                answer(ticket, with: error)
            } catch {
                queue.abort(because: error)
            }
        }
    }

    private func answer(
        _ ticket: ReplyQueue.Ticket, with error: ErrorReply, isOneway: Bool = false
    ) {
        guard !isOneway else { return queue.complete(ticket) }
        do {
            queue.complete(ticket, try format.error(error))
        } catch {
            queue.abort(because: error)
        }
    }
}
