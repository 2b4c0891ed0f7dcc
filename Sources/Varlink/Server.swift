internal import Dispatch
public import Logging
public import NIOCore
public import NIOPosix
internal import Synchronization

/// A Varlink service on one Unix socket. It can be run once.
///
/// A connection costs no thread, however long it is idle. What it may cost otherwise is bounded by
/// ``ServerLimits``. Handlers run on the connections' event loops; see ``Method``.
public final class Server: Sendable {
    /// Where a server listens.
    public enum Listener: Sendable, Hashable {
        /// A listening Unix stream socket that was passed in. The server owns the descriptor from `run()` on
        /// and closes it at the end.
        case inherited(fileDescriptor: Int32)
        /// A socket made at this path with these permission bits. A file that a killed server left there is
        /// replaced; the file is removed at the end. Two servers that start at the same instant aren't kept
        /// apart by this.
        case path(String, mode: UInt32)
    }

    let listener: Listener
    let admission: Admission
    let logger: Logger
    let eventLoopGroup: any EventLoopGroup
    let decoder: CallDecoder
    let format = ReplyFormat()
    let state = Mutex(State())
    let longCalls = DispatchQueue(label: "varlink.long-calls", qos: .utility)
    /// One for each event loop.
    let watches: [ObjectIdentifier: ConnectionWatch]
    private let onConnectionCountChange: (@Sendable (Int) -> Void)?
    private let countChange = Mutex(())

    /// Creates a server that doesn't listen yet.
    /// - Parameters:
    ///   - listener: Where to listen.
    ///   - info: What `GetInfo` tells.
    ///   - interfaces: What to serve besides `org.varlink.service`. The first of a name counts.
    ///   - admission: Whom it lets in; all servers of a process share one.
    ///   - logger: Where to tell of connections that fail and of calls that are refused.
    ///   - onConnectionCountChange: Called after each change of ``connectionCount``, on any thread, one call
    ///     at a time; the last call tells the last count. It must not block.
    ///   - eventLoopGroup: The threads to serve on.
    public init(
        listener: Listener, info: ServiceInfo, interfaces: [Interface], admission: Admission = .init(),
        logger: Logger, onConnectionCountChange: (@Sendable (Int) -> Void)? = nil,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.listener = listener
        self.admission = admission
        self.logger = logger
        self.eventLoopGroup = eventLoopGroup
        watches = Dictionary(
            eventLoopGroup.makeIterator().map { (ObjectIdentifier($0), ConnectionWatch($0)) },
            uniquingKeysWith: { first, _ in first })
        self.onConnectionCountChange = onConnectionCountChange
        var all: [Interface] = []
        do {
            all.append(try ServiceInterface.interface(of: info, serving: interfaces))
        } catch {
            // Its text is a constant that a test parses.
            logger.critical("The description of \(ServiceInterface.name) is wrong: \(error)")
        }
        for interface in interfaces where !all.contains(where: { $0.name == interface.name }) {
            all.append(interface)
        }
        decoder = CallDecoder(catalog: MethodCatalog(all))
    }

    /// How many connections are open.
    public var connectionCount: Int { state.withLock { $0.connections.count } }

    /// Serves until ``shutDown()`` or until the task is cancelled; the latter closes all connections at once
    /// and cancels the handlers.
    /// - Throws: ``ServerError`` when the server can't listen; what ended the listening, should it end by
    ///   itself.
    public func run() async throws {
        guard try start() else { return }
        let socket = try ListeningSocket(listener)
        defer { socket.removeFile() }
        let listening = try await bind(socket)
        let mayRun = state.withLock { state in
            guard case .running = state.phase else { return false }
            state.phase = .running(listener: listening)
            return true
        }
        if !mayRun { listening.close(promise: nil) }
        try await withTaskCancellationHandler {
            try? await listening.closeFuture.get()
            let wasRunning = state.withLock { $0.stop() }
            let hasFailed = wasRunning && !Task.isCancelled
            // Those that were accepted while the others were being closed.
            if Task.isCancelled { closeAll() }
            await withCheckedContinuation { continuation in
                if !state.withLock({ $0.waitForLast(continuation) }) { continuation.resume() }
            }
            if hasFailed { throw ServerError.listenerClosed }
        } onCancel: {
            listening.close(promise: nil)
            closeAll()
        }
    }

    private func closeAll() {
        for connection in state.withLock({ Array($0.connections.values) }) { connection.close() }
    }

    /// Ends the server in good order, from any thread, any number of times: no connection is accepted and no
    /// call is read any more, calls in flight are answered, then connections are closed and ``run()``
    /// returns. A peer that doesn't read its replies is given 5 seconds after the last of them.
    public func shutDown() {
        let (channel, connections) = state.withLock { state -> ((any Channel)?, [Connection]) in
            switch state.phase {
            case .idle:
                state.phase = .neverRuns
                return (nil, [])
            case .running(let channel):
                state.phase = .shuttingDown
                return (channel, Array(state.connections.values))
            case .neverRuns, .shuttingDown, .stopped:
                return (nil, [])
            }
        }
        channel?.close(promise: nil)
        for connection in connections { connection.endInput() }
    }

    /// - Returns: false when the server was shut down before it ran.
    private func start() throws(ServerError) -> Bool {
        let phase = state.withLock { state in
            defer { if case .idle = state.phase { state.phase = .running(listener: nil) } }
            return state.phase
        }
        switch phase {
        case .idle: return true
        case .neverRuns: return false
        case .running, .shuttingDown, .stopped: throw .alreadyRun
        }
    }

    func connectionCountChanged() {
        guard let onConnectionCountChange else { return }
        countChange.withLock { _ in onConnectionCountChange(connectionCount) }
    }
}
