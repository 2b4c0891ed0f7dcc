internal import Logging
internal import NIOCore

/// Pauses when a connection can't be accepted, for example because no file descriptor is left (accept(2):
/// EMFILE, ENFILE, ECONNABORTED), and logs it once for each change. Pauses as well while too many wait to be refused.
///
/// NIO's own handler for this delays the next read only where one is asked for; a failed accept leaves the
/// last one pending, so the socket, still readable, would wake the event loop again and again.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    /// How long to wait before trying again after a failure.
    private static let duration = TimeAmount.milliseconds(500)
    /// How long to wait for those to go that were accepted to be refused.
    private static let breath = TimeAmount.milliseconds(5)

    private let admission: Admission
    private let logger: Logger
    private var failure: CInt?
    private var isPaused = false

    init(admission: Admission, logger: Logger) {
        self.admission = admission
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if failure != nil {
            failure = nil
            logger.notice("Connections are accepted again.")
        }
        admission.accepted()
        Self.unwrapInboundIn(data).closeFuture.whenComplete { [admission] _ in admission.closed() }
        context.fireChannelRead(data)
        if !admission.mayAccept { pause(context, Self.breath) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError else { return context.fireErrorCaught(error) }
        if error.errnoCode != failure {
            failure = error.errnoCode
            logger.warning("A connection could not be accepted: \(error)")
        }
        // Not passed on: it would end the stream of connections. Where the socket itself is broken, NIO
        // closes it, which ends the stream as well.
        pause(context, Self.duration)
    }

    private func pause(_ context: ChannelHandlerContext, _ time: TimeAmount) {
        guard !isPaused else { return }
        do {
            try context.channel.syncOptions?.setOption(.autoRead, value: false)
        } catch {
            return
        }
        isPaused = true
        let loopBound = NIOLoopBound((self, context.channel), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: time) {
            let (handler, channel) = loopBound.value
            handler.isPaused = false
            try channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}
