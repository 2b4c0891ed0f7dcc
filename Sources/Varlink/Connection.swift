internal import Logging
internal import NIOCore

/// Serves one connection: reads calls, starts them in their order, and writes their replies in that order.
///
/// `@unchecked Sendable`: all its state belongs to the channel's event loop. What other threads may call
/// (`endInput`, `close`, `deliver`) goes there first.
final class Connection: ChannelDuplexHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What all connections of a server share.
    struct Service: Sendable {
        let decoder: CallDecoder
        let format: ReplyFormat
        let limits: ConnectionLimits
        let logger: Logger
        /// Called once a connection is closed and all its handlers have returned.
        let ended: @Sendable (Connection) -> Void
    }

    /// How long the end of a connection may take once all calls are answered: for a peer to read its
    /// replies, or to stop writing after a call that was refused.
    static let lingerTime = TimeAmount.seconds(5)
    /// How much of what follows a refused call is read and dropped before reading stops for good, in bytes, so
    /// that a peer that is still writing comes to read its last reply.
    static let maximumDroppedBytes = 16 * 1_048_576

    /// Whether more calls come.
    enum Input {
        case open
        /// The peer has said that it sends nothing more; what was read is still served.
        case closed
        /// Nothing is served any more.
        case ended
        /// A call can't be read, so nothing after it can be.
        case refused
    }

    let eventLoop: any EventLoop
    let channel: any Channel
    let peer: Peer
    let service: Service
    let executor: EventLoopTaskExecutor
    var queue: ReplyQueue
    private var splitter: FrameSplitter
    private var context: ChannelHandlerContext?
    private var input = Input.open
    private var wantsRead = false
    private var dropped = 0
    private var isProceeding = false
    private var isLingering = false
    private var isClosed = false
    private var isFinished = false
    /// Handlers that run, those of oneway calls with them.
    private var running = 0
    /// Those that are cancelled when the peer is gone.
    private var tasks: [Int: Task<Void, Never>?] = [:]
    private var nextTask = 0

    init(channel: any Channel, peer: Peer, service: Service) {
        self.channel = channel
        eventLoop = channel.eventLoop
        self.peer = peer
        self.service = service
        executor = EventLoopTaskExecutor(channel.eventLoop)
        queue = ReplyQueue(maximumCallsInFlight: service.limits.maximumCallsInFlight)
        splitter = FrameSplitter(limit: service.limits.maximumFrameBytes)
    }

    // MARK: From other threads

    /// Answers what has been read, and then closes the connection.
    func endInput() {
        eventLoop.execute { [self] in
            proceed()
            if input != .refused { input = .ended }
            proceed()
        }
    }

    /// Closes the connection at once.
    func close() { channel.close(promise: nil) }

    /// Takes the last replies of calls, of any of the event loop's connections.
    static func deliver(_ replies: [Delivery], on eventLoop: any EventLoop) {
        eventLoop.execute {
            for reply in replies {
                reply.slot.connection.running -= 1
                reply.slot.connection.queue.complete(reply.slot.ticket, reply.bytes)
            }
            // Each once: what is ready goes out in one write.
            for reply in replies { reply.slot.connection.proceed() }
        }
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    /// The channel is closed, also one that was closed before it became active.
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        isClosed = true
        input = .ended
        for sender in queue.abort() { sender.resume(returning: false) }
        for task in tasks.values { task?.cancel() }
        finishIfUnused()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        switch input {
        case .open, .closed:
            splitter.append(bytes)
            proceed()
        case .ended: break
        case .refused: dropped += bytes.readableBytes
        }
    }

    func read(context: ChannelHandlerContext) {
        let mayRead =
            switch input {
            case .open: queue.hasRoom
            case .closed, .ended: false
            case .refused: dropped <= Self.maximumDroppedBytes
            }
        if mayRead { context.read() } else { wantsRead = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            if input == .open { input = .closed }
            proceed()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        service.logger.debug("A Varlink connection ended early: \(error)")
        context.close(promise: nil)
    }

    // MARK: Calls

    /// Starts calls as long as there is room for them, writes what is ready, and ends the connection if it is done.
    func proceed() {
        // A handler may answer at once, and a write may be done at once and make room: whoever is at it sees to that,
        // so that a peer's many calls are not as many calls deep here.
        guard !isProceeding else { return }
        isProceeding = true
        repeat { startCalls() } while flush()
        isProceeding = false
        if isClosed { return finishIfUnused() }
        endIfDone()
        guard wantsRead, let context else { return }
        wantsRead = false
        read(context: context)
    }

    private func startCalls() {
        while input == .open || input == .closed, queue.hasRoom, !isClosed {
            guard let frame = splitter.next() else {
                if input == .closed { input = .ended }
                break
            }
            do throws(ErrorReply) {
                start(try decode(frame))
            } catch {
                service.logger.debug("A Varlink call was refused: \(error)")
                input = .refused
                answer(queue.admit(isOneway: false), with: error)
            }
        }
    }

    private func decode(_ frame: FrameSplitter.Frame) throws(ErrorReply) -> CallEnvelope {
        switch frame {
        case .message(let bytes): try service.decoder.decode(bytes)
        case .tooLong: throw CallDecoder.tooLong(limit: service.limits.maximumFrameBytes)
        }
    }

    private func start(_ call: CallEnvelope) {
        let ticket = queue.admit(isOneway: call.isOneway)
        let context = CallContext(
            peer: peer, wantsMore: call.wantsMore, isOneway: call.isOneway, method: call.method)
        switch call.action {
        case .refuse(let error): answer(ticket, with: error)
        case .run(.deferred(let body)):
            running += 1
            body(context, ReplySlot(connection: self, ticket: ticket))
        case .run(.async(let body)):
            running += 1
            run(body, context, ticket)
        }
    }

    private func run(_ body: @escaping Method.AsyncBody, _ context: CallContext, _ ticket: ReplyQueue.Ticket)
    {
        nextTask += 1
        let number = nextTask
        // The peer of a oneway call needn't stay.
        if ticket.sequence != nil { tasks[number] = .some(nil) }
        // Not in a task group, which only an asynchronous function can hold: the connection counts what runs, and
        // has not ended before it has.
        let task = Task.immediate(executorPreference: executor) { [self] in
            let slot = ReplySlot(connection: self, ticket: ticket)
            let result: Result<ByteBuffer, any Error>
            do {
                result = .success(try await body(context, slot))
            } catch {
                result = .failure(error)
            }
            let outcome = result
            if eventLoop.inEventLoop {
                ended(number, ticket, outcome)
            } else {
                eventLoop.execute { self.ended(number, ticket, outcome) }
            }
        }
        // It may have ended already.
        if tasks.keys.contains(number) { tasks[number] = task }
    }

    private func ended(
        _ number: Int, _ ticket: ReplyQueue.Ticket, _ result: Result<ByteBuffer, any Error>
    ) {
        tasks.removeValue(forKey: number)
        running -= 1
        switch result {
        case .success(let reply): queue.complete(ticket, reply)
        case .failure(let error as ErrorReply): answer(ticket, with: error)
        case .failure(let error):
            if ticket.sequence == nil { queue.complete(ticket, nil) } else { failed(error) }
        }
        proceed()
    }

    /// Gives the connection up: a reply couldn't be encoded, so the order of replies can't be kept.
    func failed(_ error: any Error) {
        service.logger.error("A Varlink reply could not be encoded: \(error)")
        channel.close(promise: nil)
    }

    private func answer(_ ticket: ReplyQueue.Ticket, with error: ErrorReply) {
        guard ticket.sequence != nil else { return queue.complete(ticket, nil) }
        do {
            queue.complete(ticket, try service.format.error(error))
        } catch {
            failed(error)
        }
    }

    // MARK: Replies

    /// Writes what is ready.
    ///
    /// - Returns: false when that is nothing.
    private func flush() -> Bool {
        guard !isClosed, let context, let batch = queue.takeBatch() else { return false }
        let (calls, count, senders) = (batch.calls, batch.bytes.readableBytes, batch.senders)
        let promise = eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { [self] result in
            queue.acknowledge(calls: calls, bytes: count)
            let isWritten = (try? result.get()) != nil
            for sender in senders { sender.resume(returning: isWritten) }
            proceed()
        }
        context.writeAndFlush(Self.wrapOutboundOut(batch.bytes), promise: promise)
        return true
    }

    private func endIfDone() {
        guard !isClosed, input == .ended || input == .refused, queue.isSettled else { return }
        if !isLingering {
            isLingering = true
            let end = eventLoop.scheduleTask(in: Self.lingerTime) { [channel] in
                channel.close(promise: nil)
            }
            channel.closeFuture.whenComplete { _ in end.cancel() }
        }
        guard queue.isWritten else { return }
        // After a refused call the peer may still be writing; it comes to the end of its replies first.
        channel.close(mode: input == .refused ? .output : .all, promise: nil)
    }

    private func finishIfUnused() {
        guard isClosed, running == 0, !isFinished else { return }
        isFinished = true
        service.ended(self)
    }
}
