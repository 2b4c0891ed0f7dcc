internal import Dispatch
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
        let admission: Admission
        let watch: ConnectionWatch
        let logger: Logger
        /// Where long calls are decoded: one takes as long as hundreds of others, and would hold up the other
        /// connections of the event loop.
        let longCalls: DispatchQueue
        /// Called once a connection is closed and all its handlers have returned.
        let ended: @Sendable (Connection) -> Void
    }

    /// How long the end of a connection may take once all calls are answered: for a peer to read its
    /// replies, or to stop writing after a call that was refused.
    static let lingerTime = TimeAmount.seconds(5)
    /// What a call takes in memory besides its parameters while its handler runs, in bytes, roughly; with a task of its
    /// own and without.
    private static let taskCost = 2048
    private static let deferredCost = 1024
    /// A call of more bytes is a long one.
    private static let longCallBytes = 32 << 10
    /// A call of more bytes that needs the general decoder is a long one, too.
    private static let longSlowCallBytes = 1 << 10
    /// How many calls are read before other connections of the event loop get their turn, and for how many a call
    /// counts that needs the general decoder.
    private static let callsAtATime = 32
    private static let slowCallCount = 16
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
    private var patience: Patience
    /// What it holds, as all connections' account knows.
    private var counted = 0
    private(set) var waitsForOthers = false
    /// Calls that have come, and writes that were done.
    private var received = 0
    private var written = 0
    /// As many calls as may be at a time were read; the other connections come first.
    private var isPausing = false
    /// The bytes of a long call that is being decoded; what comes after it waits.
    private var decoding = 0
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
        patience = Patience(service.limits, now: channel.eventLoop.now)
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

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        service.watch.add(self)
        expectEnd()
    }

    /// The channel is closed, also one that was closed before it became active.
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        isClosed = true
        input = .ended
        for sender in queue.abort() { sender.resume(returning: false) }
        for task in tasks.values { task?.cancel() }
        splitter = FrameSplitter(limit: service.limits.maximumFrameBytes)
        service.watch.remove(self)
        tellHeld()
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
            case .open: hasRoom && decoding == 0 && !isPausing
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
        tellHeld()
        if isClosed { return finishIfUnused() }
        endIfDone()
        noteWait()
        guard wantsRead, let context else { return }
        wantsRead = false
        read(context: context)
    }

    private var hasRoom: Bool { queue.hasRoom(underPressure: service.admission.isUnderPressure) }

    private func startCalls() {
        var calls = 0
        while input == .open || input == .closed, decoding == 0, !isPausing, hasRoom, !isClosed {
            guard let frame = splitter.next() else {
                if input == .closed { input = .ended }
                break
            }
            received &+= 1
            calls += 1
            switch frame {
            case .message(let bytes) where bytes.readableBytes > Self.longCallBytes: decodeElsewhere(bytes)
            case .message(let bytes):
                if let call = service.decoder.decodeQuickly(bytes) {
                    start(call, bytes: bytes.readableBytes)
                } else if bytes.readableBytes > Self.longSlowCallBytes {
                    decodeElsewhere(bytes)
                } else {
                    start(Self.decode(bytes, service.decoder.decodeSlowly), bytes: bytes.readableBytes)
                    calls += Self.slowCallCount - 1
                }
            case .tooLong:
                start(.failure(CallDecoder.tooLong(limit: service.limits.maximumFrameBytes)), bytes: 0)
            }
            if calls >= Self.callsAtATime { pause() }
        }
    }

    private static func decode(
        _ bytes: ByteBuffer, _ decode: (ByteBuffer) throws(ErrorReply) -> CallEnvelope
    ) -> Result<CallEnvelope, ErrorReply> {
        do throws(ErrorReply) {
            return .success(try decode(bytes))
        } catch {
            return .failure(error)
        }
    }

    /// Goes on when the event loop has looked after the others.
    private func pause() {
        isPausing = true
        service.watch.resumeLater(self)
    }

    /// Goes on after a pause.
    func resume() {
        isPausing = false
        proceed()
    }

    private func decodeElsewhere(_ bytes: ByteBuffer) {
        let length = bytes.readableBytes
        decoding = length
        running += 1
        service.longCalls.async { [self] in
            let call = Self.decode(bytes, service.decoder.decode)
            eventLoop.execute { [self] in
                decoding = 0
                running -= 1
                if !isClosed { start(call, bytes: length) }
                proceed()
            }
        }
    }

    private func start(_ call: Result<CallEnvelope, ErrorReply>, bytes: Int) {
        switch call {
        case .success(let call): start(call, bytes: bytes)
        case .failure(let error):
            service.logger.debug("A Varlink call was refused: \(error)")
            input = .refused
            answer(queue.admit(isOneway: false), with: error)
        }
    }

    private func start(_ call: CallEnvelope, bytes: Int) {
        let ticket = queue.admit(isOneway: call.isOneway, cost: Self.cost(of: call.action, bytes: bytes))
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

    /// Parameters take about as much again once they are decoded.
    private static func cost(of action: CallEnvelope.Action, bytes: Int) -> Int {
        switch action {
        case .refuse: 0
        case .run(.deferred): deferredCost + 2 * bytes
        case .run(.async): taskCost + 2 * bytes
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
        let task = Task.immediate(priority: .medium, executorPreference: executor) { [self] in
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
            queue.complete(ticket, nil)
            if ticket.sequence != nil { failed(error) }
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
            written &+= 1
            let isWritten = (try? result.get()) != nil
            for sender in senders { sender.resume(returning: isWritten) }
            proceed()
        }
        context.writeAndFlush(Self.wrapOutboundOut(batch.bytes), promise: promise)
        return true
    }

    private func endIfDone() {
        guard !isClosed, input == .ended || input == .refused, queue.isSettled, decoding == 0, !isPausing
        else {
            return
        }
        guard queue.isWritten else { return }
        // After a refused call the peer may still be writing; it comes to the end of its replies first.
        channel.close(mode: input == .refused ? .output : .all, promise: nil)
    }

    // MARK: Limits

    /// When the connection is to be looked after; nil for never.
    var deadline: NIODeadline? { isClosed ? nil : patience.deadline }

    /// Closes the connection, whose deadline has passed.
    func giveUp() {
        if let limit = patience.limit { service.admission.report(limit, peer) }
        channel.close(promise: nil)
    }

    /// Tells all connections' account what this one holds, where that is more than an ordinary call.
    private func tellHeld() {
        let held = PeerAccounts.counted(splitter.heldBytes + queue.heldBytes + 2 * decoding)
        guard held != counted, !isFinished else { return }
        counted = held
        service.admission.hold(self, held, isClosed: isClosed)
    }

    private func noteWait() {
        let (wait, progress) = awaited
        if patience.note(wait, progress: progress, now: eventLoop.now) { expectEnd() }
        // Nothing of this connection tells that others hold less again.
        waitsForOthers = !hasRoom && queue.hasRoom()
        if waitsForOthers { service.watch.expect(eventLoop.now) }
    }

    private func expectEnd() {
        if let deadline { service.watch.expect(deadline) }
    }

    /// What the peer is to do next, and how much it has done of that.
    private var awaited: (Patience.Wait, progress: Int) {
        // Nothing is read meanwhile.
        if decoding > 0 || isPausing { return (.nothing, 0) }
        let isOver = input == .ended || input == .refused
        if isOver, queue.isSettled { return (.end, 0) }
        if queue.isBeingWritten { return (.reading, written) }
        if !isOver, splitter.heldBytes > 0, hasRoom { return (.restOfCall, received) }
        return queue.isIdle ? (.call, received) : (.nothing, 0)
    }

    private func finishIfUnused() {
        guard isClosed, running == 0, !isFinished else { return }
        isFinished = true
        service.ended(self)
    }
}
