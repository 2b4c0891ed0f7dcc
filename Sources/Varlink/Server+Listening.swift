internal import NIOCore
internal import NIOPosix
internal import Synchronization

extension Server {
    /// The server's socket, each of whose connections is served once it is accepted.
    func bind(_ socket: ListeningSocket) async throws -> any Channel {
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
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.accept(channel) }
            }
            .withBoundSocket(socket.fileDescriptor)
            .get()
    }

    private func accept(_ channel: any Channel) throws {
        let service = Connection.Service(
            decoder: decoder, format: format, limits: limits, logger: logger,
            ended: { [weak self] in self?.end($0) })
        let connection = Connection(channel: channel, peer: try Peer(of: channel), service: service)
        try channel.pipeline.syncOperations.addHandler(connection)
        guard state.withLock({ $0.add(connection) }) else { throw ChannelError.ioOnClosedChannel }
        connectionCountChanged()
    }

    private func end(_ connection: Connection) {
        let waiting = state.withLock { $0.remove(connection) }
        connectionCountChanged()
        waiting?.resume()
    }
}
