internal import NIOCore

/// Turns the bytes of a client's channel into frames.
final class FrameHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = FrameSplitter.Frame

    private var splitter: FrameSplitter

    init(limit: Int) {
        splitter = FrameSplitter(limit: limit)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        splitter.append(Self.unwrapInboundIn(data))
        while let frame = splitter.next() { context.fireChannelRead(Self.wrapInboundOut(frame)) }
    }
}
