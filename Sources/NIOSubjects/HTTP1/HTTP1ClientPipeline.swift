import AnyloopHarness
import NIOCore
import NIOHTTP1
import NIOHarness

/// A client as `addHTTPClientHandlers` makes it, with interim responses passed on, and behind it one that asks and
/// writes down what is answered.
enum HTTP1ClientPipeline {
    /// Adds the handlers.
    static func add(to channel: any Channel, _ conversation: PipelineConversation) throws {
        let decoder = HTTPResponseDecoder(
            leftOverBytesStrategy: .forwardBytes, informationalResponseStrategy: .forward)
        try channel.pipeline.syncOperations.addHandlers([
            HTTPRequestEncoder(),
            ByteToMessageHandler(decoder),
            NIOHTTPRequestHeadersValidator(),
            HTTP1ClientRecorder(conversation),
        ])
    }

    /// Takes the handlers of HTTP out, the decoder last: what it still holds goes to `successor`.
    static func handOver(_ context: ChannelHandlerContext, from recorder: HTTP1ClientRecorder, to log: TraceLog) {
        let pipeline = context.pipeline.syncOperations
        do {
            try pipeline.addHandler(SurplusHandler(log), position: .after(recorder))
            for handler in [
                try pipeline.context(handlerType: NIOHTTPRequestHeadersValidator.self),
                try pipeline.context(handlerType: HTTPRequestEncoder.self),
                context,
                try pipeline.context(handlerType: ByteToMessageHandler<HTTPResponseDecoder>.self),
            ] {
                pipeline.removeHandler(context: handler, promise: nil)
            }
        } catch {
            context.fireErrorCaught(error)
        }
    }
}

/// The application: it asks as soon as the connection stands, and closes it when a response says so.
final class HTTP1ClientRecorder: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let log: TraceLog
    private let acceptsUpgrade: Bool
    private let methods: [HTTPMethod]
    private var answered = 0
    private var head: HTTPResponseHead?
    private var isClosing = false

    init(_ conversation: PipelineConversation) {
        log = conversation.log
        acceptsUpgrade = conversation.fixture.acceptsUpgrade(.client)
        let methods = conversation.fixture.requests
        self.methods = (methods.isEmpty ? ["GET"] : methods).map { HTTPMethod(rawValue: $0) }
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        for method in methods {
            let isTunnel = method == .CONNECT
            var head = HTTPRequestHead(
                version: .http1_1, method: method, uri: isTunnel ? "server.example:443" : "/")
            head.headers.add(name: "Host", value: isTunnel ? "server.example:443" : "server.example")
            if acceptsUpgrade, !isTunnel {
                head.headers.add(name: "Connection", value: "upgrade")
                head.headers.add(name: "Upgrade", value: "example")
            }
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.end(nil)), promise: nil)
        }
        context.flush()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What the decoder has found behind a message that was the connection's last.
        if isClosing { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            log.event(.head, "\(head.status.code)", head.version.description)
            log.fields(head.headers, as: .field)
            // An interim response has no content, so its head is all of it (RFC 9110 §15.2).
            if head.isInterim { log.event(.end) } else { self.head = head }
        case .body(let buffer): log.record { $0.body(buffer.readableBytesUInt8Span) }
        case .end(let trailers):
            guard let head else { return }
            self.head = nil
            log.fields(trailers ?? [:], as: .trailer)
            finish(head, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !HTTP1Errors.isNone(error, isWithinMessage: head != nil, isClosing: isClosing) {
            isClosing = true
            context.fireErrorCaught(error)
        }
        context.close(promise: nil)
    }

    private func finish(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) {
        let method = answered < methods.count ? methods[answered] : .GET
        answered += 1
        let isTunnel = method == .CONNECT && (200..<300).contains(head.status.code)
        log.event(.end)
        if isTunnel || head.status == .switchingProtocols {
            guard acceptsUpgrade else { return close(context) }
            log.event(.upgrade)
            HTTP1ClientPipeline.handOver(context, from: self, to: log)
        } else if !head.isKeepAlive {
            close(context)
        }
    }

    private func close(_ context: ChannelHandlerContext) {
        isClosing = true
        context.close(promise: nil)
    }
}

extension HTTPResponseHead {
    /// Whether another response to the same request follows.
    fileprivate var isInterim: Bool { (100..<200).contains(status.code) && status != .switchingProtocols }
}
