internal import NIOCore
internal import NIOPosix
internal import Synchronization

extension Server {
    /// The server's socket, each of whose connections is served once it is accepted.
    func bind(_ socket: ListeningSocket) async throws -> any Channel {
        try await ServerBootstrap(group: eventLoopGroup)
            .serverChannelInitializer { [admission, logger] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptPause(admission: admission, logger: logger))
                }
            }
            // A peer that has sent its last call still reads replies.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // One read a wake-up: a second one would mostly find nothing.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            // Each connection keeps its buffer.
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: 16_384)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.accept(channel) }
            }
            .withBoundSocket(socket.fileDescriptor)
            .get()
    }

    private func accept(_ channel: any Channel) throws {
        let peer = try Peer(of: channel)
        guard let watch = watches[ObjectIdentifier(channel.eventLoop)], let limits = admission.admit(peer)
        else {
            throw ChannelError.ioOnClosedChannel
        }
        let service = Connection.Service(
            decoder: decoder, format: format, limits: limits, admission: admission, watch: watch,
            logger: logger,
            longCalls: longCalls, ended: { [weak self] in self?.end($0) })
        let connection = Connection(channel: channel, peer: peer, service: service)
        let isWelcome = state.withLock { $0.add(connection) }
        do {
            guard isWelcome else { throw ChannelError.ioOnClosedChannel }
            try channel.pipeline.syncOperations.addHandler(connection)
        } catch {
            end(connection)
            throw error
        }
        connectionCountChanged()
    }

    private func end(_ connection: Connection) {
        admission.remove(ObjectIdentifier(connection), connection.peer)
        let waiting = state.withLock { $0.remove(connection) }
        connectionCountChanged()
        waiting?.resume()
    }
}
