internal import NIOCore

/// Turns the bytes of a channel into frames, and, once they are of no interest any more, reads and drops
/// them, so that a peer that is still writing comes to read its last reply.
final class FrameHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = FrameSplitter.Frame
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Events that are sent down the channel to this handler.
    enum Request: Sendable {
        /// Ends the stream of frames, as if the peer had closed its writing side.
        case endInput
        /// Reads and drops what still comes.
        case dropInput
    }

    /// How much is dropped before reading stops for good, in bytes.
    static let maximumDroppedBytes = 16 * 1_048_576

    private var splitter: FrameSplitter
    private var isEnded = false
    private var isDropping = false
    private var dropped = 0

    init(limit: Int) {
        splitter = FrameSplitter(limit: limit)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        guard !isEnded else {
            dropped += bytes.readableBytes
            return
        }
        splitter.append(bytes)
        while let frame = splitter.next() {
            if frame == .tooLong {
                isEnded = true
                isDropping = true
            }
            context.fireChannelRead(Self.wrapInboundOut(frame))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        keepDropping(context: context)
    }

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        switch event as? Request {
        case .endInput:
            isEnded = true
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            promise?.succeed()
        case .dropInput:
            isEnded = true
            isDropping = true
            keepDropping(context: context)
            promise?.succeed()
        case nil:
            context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    /// Nobody behind this handler asks for reads any more, so it asks itself.
    private func keepDropping(context: ChannelHandlerContext) {
        if isDropping && dropped <= Self.maximumDroppedBytes {
            context.read()
        }
    }
}
