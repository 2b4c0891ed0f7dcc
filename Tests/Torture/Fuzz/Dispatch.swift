import Bookings
import Dispatch
import FoundationEssentials
import Logging
import NIOCore
import NIOEmbedded

@testable import Varlink

extension Target {
    /// A whole connection: frames in, replies out. Each call that isn't oneway must have exactly one last reply, in
    /// the order of the calls, and the connection must always come to its end.
    static let dispatch = Target(name: "dispatch") { input in
        guard let stream = Stream(input) else { return }
        Conversation(stream).run()
    }
}

/// A server's side of one connection, on an event loop of its own that runs when it is told to.
private final class Conversation {
    private static let service = MemoryService()
    private static let decoder: CallDecoder = {
        do {
            let interfaces = try service.interfaces()
            let info = ServiceInfo(vendor: "v", product: "p", version: "1", url: "u")
            return CallDecoder(
                catalog: MethodCatalog(
                    [try ServiceInterface.interface(of: info, serving: interfaces)] + interfaces))
        } catch {
            fail("\(error)")
        }
    }()
    private static let format = ReplyFormat()
    private static let logger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
    /// Calls are too short for it.
    private static let longCalls = DispatchQueue(label: "fuzz")
    private static let limits = ConnectionLimits(maximumFrameBytes: 1024, maximumCallsInFlight: 3)

    private let stream: Stream
    private let loop = EmbeddedEventLoop()
    private let channel: EmbeddedChannel
    private let valve = Valve()
    private let connection: Connection
    private let ends = Ends()
    private let admission = Admission()

    init(_ stream: Stream) {
        self.stream = stream
        channel = EmbeddedChannel(loop: loop)
        let peer = Peer(uid: 1, gid: 1, pid: 1)
        let service = Connection.Service(
            decoder: Self.decoder, format: Self.format, limits: Self.limits, admission: admission,
            watch: ConnectionWatch(loop), logger: Self.logger, longCalls: Self.longCalls,
            ended: { [admission, ends] connection in
                admission.remove(ObjectIdentifier(connection), peer)
                ends.count += 1
            })
        connection = Connection(channel: channel, peer: peer, service: service)
    }

    func run() {
        Self.service.reset()
        require(admission.admit(connection.peer) != nil, "the connection is not let in")
        do {
            try channel.pipeline.syncOperations.addHandlers([valve, connection])
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/x")).wait()
            try talk()
        } catch {
            fail("\(error)")
        }
    }

    /// How the conversation ends: by the peer, by the server, or by a peer that is gone.
    private var way: Int { Int(stream.choice >> 4 & 0x03) }

    private func talk() throws {
        let pieces = stream.pieces
        channel.read()
        for (number, piece) in pieces.enumerated() {
            if way == 2, number == pieces.count / 2 { connection.endInput() }
            if way == 3, number == pieces.count / 2 { connection.close() }
            guard try mayRead() else { break }
            valve.hasRead = false
            try channel.writeInbound(piece)
            channel.read()
            // Writes are slow at times, and so is the disk.
            valve.isOpen = stream.choice & 0x80 == 0 || number % 3 == 2
            if number % 2 == 1 { Self.service.commit() }
        }
        if try mayRead() {
            channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
        settle()
        if way < 2 {
            require(!channel.isActive, "the connection doesn't end")
            try Transcript(stream.frames(limit: Self.limits.maximumFrameBytes), replies()).check()
        }
        // A peer that reads nothing any more is left after a time, and one that was refused.
        if channel.isActive { loop.advanceTime(by: .seconds(6)) }
        if channel.isActive { connection.close() }
        settle()
        require(!channel.isActive && ends.count == 1, "the connection ended \(ends.count) times")
        require(admission.bytesInFlight == 0, "\(admission.bytesInFlight) bytes are still held")
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    /// Whether the connection is to be given more; it must want more once all calls are answered.
    private func mayRead() throws -> Bool {
        if valve.hasRead { return channel.isActive }
        settle()
        if valve.hasRead || !channel.isActive || way == 2 { return valve.hasRead && channel.isActive }
        fail("the connection stalls: all is answered, and it reads no more")
    }

    /// Lets everything happen that can.
    private func settle() {
        valve.isOpen = true
        loop.run()
        for _ in 0..<100_000 {
            Self.service.commit()
            valve.open()
            let written = valve.written
            // Those that pause let others go first, for a moment.
            loop.advanceTime(by: .milliseconds(1))
            if valve.isEmpty, valve.written == written, !Self.service.hasWaiting { return }
        }
        fail("the connection never rests")
    }

    private func replies() throws -> [ByteBuffer] {
        var bytes = ByteBuffer()
        while var part = try channel.readOutbound(as: ByteBuffer.self) { bytes.writeBuffer(&part) }
        var splitter = FrameSplitter(limit: .max)
        splitter.append(bytes)
        var replies: [ByteBuffer] = []
        while case .message(let reply)? = splitter.next() { replies.append(reply) }
        let count = replies.reduce(0) { $0 + $1.readableBytes + 1 }
        require(count == bytes.readableBytes, "the last reply has no end")
        return replies
    }
}

/// How often the connection said that it has ended. All is on one thread.
private final class Ends: @unchecked Sendable {
    var count = 0
}

/// Holds writes back, as a peer does that reads slowly, and notes whether more is to be read.
private final class Valve: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    var isOpen = true
    var hasRead = false
    private(set) var written = 0
    private var held: [(NIOAny, EventLoopPromise<Void>?)] = []
    private var context: ChannelHandlerContext?

    var isEmpty: Bool { held.isEmpty }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        for (_, promise) in held { promise?.fail(ChannelError.ioOnClosedChannel) }
        held = []
    }

    func read(context: ChannelHandlerContext) { hasRead = true }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        written += 1
        held.append((data, promise))
    }

    func flush(context: ChannelHandlerContext) { if isOpen { open() } }

    func open() {
        while let context, !held.isEmpty {
            let (data, promise) = held.removeFirst()
            context.writeAndFlush(data, promise: promise)
        }
    }
}
