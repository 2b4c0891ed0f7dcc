internal import Logging
internal import NIOCore

/// Logs that connections can't be accepted, once for each change; NIO itself waits a second before it tries
/// again.
final class AcceptErrorLogger: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let logger: Logger
    private var failure: CInt?

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
        if let error = error as? IOError, error.errnoCode != failure {
            failure = error.errnoCode
            logger.warning("A connection could not be accepted: \(error)")
        }
        context.fireErrorCaught(error)
    }
}
