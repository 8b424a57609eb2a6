import AnyloopHarness
import NIOCore
import NIOHTTP1
import NIOHarness

/// The head of a message as a recorder takes it.
protocol HTTP1Head: Equatable, Sendable {
    var headers: HTTPHeaders { get }
    /// Whether another message of the same exchange follows, and this has no content (RFC 9110 §15.2).
    var isInterim: Bool { get }
    /// Writes the first line down.
    func record(in log: TraceLog)
}

/// An application at the end of a pipeline that writes down what it gets; what it does with it, its subclasses say.
class HTTP1Recorder<In: HTTP1Head, Out: Equatable & Sendable>: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPPart<In, ByteBuffer>
    typealias OutboundOut = HTTPPart<Out, IOData>

    let acceptsUpgrade: Bool
    /// Whether the connection's last message has been read: what the decoder finds behind it is nobody's.
    var isClosing = false
    private let log: TraceLog
    private var head: In?
    private var decoder: (any RemovableChannelHandler)?
    private var others: [any RemovableChannelHandler] = []

    init(_ conversation: PipelineConversation, _ side: Fixture.Side) {
        log = conversation.log
        acceptsUpgrade = conversation.fixture.acceptsUpgrade(side)
    }

    // MARK: For subclasses

    /// The connection stands.
    func connected(_ context: ChannelHandlerContext) {}

    /// A message has begun.
    func begun(_ head: In, _ context: ChannelHandlerContext) {}

    /// A message has been read to its end.
    func ended(_ head: In, _ context: ChannelHandlerContext) {}

    // MARK: The pipeline

    /// Adds `encoder`, `decoder` and `others` to the channel in this order, and itself behind them.
    func join(
        _ channel: any Channel, encoder: any RemovableChannelHandler, decoder: any RemovableChannelHandler,
        others: [any RemovableChannelHandler]
    ) throws {
        self.decoder = decoder
        self.others = [encoder] + others
        try channel.pipeline.syncOperations.addHandlers([encoder, decoder] + others + [self])
    }

    /// Takes the handlers of HTTP out after an upgrade, the decoder last: what it still holds goes to the one that takes
    /// the connection over.
    func handOver(_ context: ChannelHandlerContext) {
        log.event(.upgrade)
        let pipeline = context.pipeline.syncOperations
        do { try pipeline.addHandler(SurplusHandler(log), position: .after(self)) } catch {
            return context.fireErrorCaught(error)
        }
        for handler in others.reversed() { pipeline.removeHandler(handler, promise: nil) }
        pipeline.removeHandler(context: context, promise: nil)
        if let decoder { pipeline.removeHandler(decoder, promise: nil) }
    }

    // MARK: ChannelInboundHandler

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        connected(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isClosing { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            head.record(in: log)
            log.fields(head.headers, as: .field)
            // Its head is all of it.
            if head.isInterim { log.event(.end) } else { self.head = head }
            begun(head, context)
        case .body(let buffer): log.record { $0.body(buffer.readableBytesUInt8Span) }
        case .end(let trailers):
            guard let head else { return }
            self.head = nil
            log.fields(trailers ?? [:], as: .trailer)
            log.event(.end)
            ended(head, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // As NIOHTTP1Server does it: nothing is under way, or the rest of a message will not come.
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !saysNothing(error) {
            isClosing = true
            context.fireErrorCaught(error)
        }
        context.close(promise: nil)
    }

    /// Whether `error` says nothing of a message: the connection went between two of them, or the application has closed
    /// it after the last.
    ///
    /// The decoder refuses what follows a last message if it comes in the same read; later it is closed and never sees it.
    /// To an application that has closed the connection neither matters.
    private func saysNothing(_ error: any Error) -> Bool { isClosing || (error is IOError && head == nil) }
}
