internal import NIOCore
internal import NIOPosix
internal import Synchronization

extension Server {
    /// The server's socket as a stream of connections, each ready to be served.
    func bind(_ socket: ListeningSocket) async throws -> NIOAsyncChannel<Connection, Never> {
        try await ServerBootstrap(group: eventLoopGroup)
            .serverChannelInitializer { [logger] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: logger))
                }
            }
            // A peer that has sent its last call still reads replies.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // One read a wake-up: a second one would mostly find nothing.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .bind(socket.fileDescriptor) { channel in
                channel.eventLoop.makeCompletedFuture { try self.accept(channel) }
            }
    }

    private func accept(_ channel: any Channel) throws -> Connection {
        let peer = try Peer(of: channel)
        try channel.pipeline.syncOperations.addHandler(FrameHandler(limit: limits.maximumFrameBytes))
        let frames = try Connection.Frames(wrappingChannelSynchronously: channel)
        let connection = Connection(
            frames: frames, peer: peer, decoder: decoder, format: format, limits: limits, logger: logger)
        guard state.withLock({ $0.add(connection) }) else { throw ChannelError.ioOnClosedChannel }
        connectionCountChanged()
        return connection
    }
}
