internal import Logging
internal import NIOCore

/// Pauses when a connection can't be accepted, for example because no file descriptor is left (accept(2):
/// EMFILE, ENFILE, ECONNABORTED), and logs it once for each change.
///
/// NIO's own handler for this delays the next read only where one is asked for; a failed accept leaves the
/// last one pending, so the socket, still readable, would wake the event loop again and again.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    /// How long to wait before trying again.
    private static let duration = TimeAmount.milliseconds(500)

    private let logger: Logger
    private var failure: CInt?
    private var isPaused = false

    init(logger: Logger) {
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if failure != nil {
            failure = nil
            logger.notice("Connections are accepted again.")
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError else { return context.fireErrorCaught(error) }
        if error.errnoCode != failure {
            failure = error.errnoCode
            logger.warning("A connection could not be accepted: \(error)")
        }
        // Not passed on: it would end the stream of connections. Where the socket itself is broken, NIO
        // closes it, which ends the stream as well.
        guard !isPaused else { return }
        do {
            try context.channel.syncOptions?.setOption(.autoRead, value: false)
        } catch {
            return
        }
        isPaused = true
        let loopBound = NIOLoopBound((self, context.channel), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.duration) {
            let (handler, channel) = loopBound.value
            handler.isPaused = false
            try channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}
