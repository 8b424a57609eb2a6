import AnyloopHarness
import NIOCore
import NIOHTTP1

/// Takes a connection over after an upgrade, and writes down what comes.
final class SurplusHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let log: TraceLog

    init(_ log: TraceLog) { self.log = log }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        log.record { $0.surplus(buffer.readableBytesUInt8Span) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }
}

extension TraceLog {
    /// Fields, one event each, in their order and as their names were sent.
    func fields(_ headers: HTTPHeaders, as kind: TraceKind) {
        for (name, value) in headers { event(kind, name, value) }
    }
}
