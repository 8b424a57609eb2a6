import AnyloopHarness
import NIOCore
import NIOHTTP1
import NIOHarness

/// A server as NIO's documentation has it (`NIOHTTP1Server`): `configureHTTPServerPipeline`'s handlers, then one that
/// writes down what it gets and answers.
enum HTTP1ServerPipeline {
    /// Adds the handlers; the decoder passes on what follows an upgrade, as the upgrade handlers' own pipeline has it.
    static func add(to channel: any Channel, _ conversation: PipelineConversation) throws {
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        try channel.pipeline.syncOperations.addHandlers([
            HTTPResponseEncoder(),
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes)),
            HTTPServerPipelineHandler(),
            NIOHTTPResponseHeadersValidator(),
            HTTPServerProtocolErrorHandler(),
            HTTP1ServerRecorder(conversation),
        ])
    }

    /// Takes the handlers of HTTP out, the decoder last: what it still holds goes to `successor`.
    static func handOver(_ context: ChannelHandlerContext, from recorder: HTTP1ServerRecorder, to log: TraceLog) {
        let pipeline = context.pipeline.syncOperations
        do {
            try pipeline.addHandler(SurplusHandler(log), position: .after(recorder))
            for handler in [
                try pipeline.context(handlerType: HTTPServerProtocolErrorHandler.self),
                try pipeline.context(handlerType: NIOHTTPResponseHeadersValidator.self),
                try pipeline.context(handlerType: HTTPServerPipelineHandler.self),
                try pipeline.context(handlerType: HTTPResponseEncoder.self),
                context,
                try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self),
            ] {
                pipeline.removeHandler(context: handler, promise: nil)
            }
        } catch {
            context.fireErrorCaught(error)
        }
    }
}

/// The application: it reads each request to its end and answers with 200 and the target, or takes an upgrade.
final class HTTP1ServerRecorder: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let log: TraceLog
    private let acceptsUpgrade: Bool
    private var head: HTTPRequestHead?
    private var isClosing = false

    init(_ conversation: PipelineConversation) {
        log = conversation.log
        acceptsUpgrade = conversation.fixture.acceptsUpgrade(.server)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What the decoder has found behind a message that was the connection's last.
        if isClosing { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            log.event(.head, head.method.rawValue, head.uri, head.version.description)
            log.fields(head.headers, as: .field)
            if head.version == .http1_1, head.headers.expectsContinue {
                write(context, HTTPResponseHead(version: .http1_1, status: .continue))
                context.flush()
            }
        case .body(let buffer): log.record { $0.body(buffer.readableBytesUInt8Span) }
        case .end(let trailers):
            log.fields(trailers ?? [:], as: .trailer)
            log.event(.end)
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // As NIOHTTP1Server does it: nothing is under way, or the rest of a request will not come.
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !HTTP1Errors.isNone(error, isWithinMessage: head != nil, isClosing: isClosing) {
            isClosing = true
            context.fireErrorCaught(error)
        }
        context.close(promise: nil)
    }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if acceptsUpgrade, request.method == .CONNECT || request.offersUpgrade { return upgrade(request, context) }
        var response = HTTPResponseHead(version: .http1_1, status: .ok)
        let content = request.uri + "\n"
        response.headers.add(name: "Content-Length", value: "\(content.utf8.count)")
        switch (request.isKeepAlive, request.version) {
        case (true, .http1_0): response.headers.add(name: "Connection", value: "keep-alive")
        case (false, _): response.headers.add(name: "Connection", value: "close")
        default: break
        }
        write(context, response)
        if request.method != .HEAD {
            let body = context.channel.allocator.buffer(string: content)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        if !request.isKeepAlive {
            isClosing = true
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            written.futureResult.whenComplete { _ in bound.value.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }

    private func upgrade(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let isTunnel = request.method == .CONNECT
        var response = HTTPResponseHead(version: .http1_1, status: isTunnel ? .ok : .switchingProtocols)
        if !isTunnel {
            response.headers.add(name: "Connection", value: "upgrade")
            response.headers.add(name: "Upgrade", value: request.headers["Upgrade"].joined(separator: ", "))
        }
        write(context, response)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        log.event(.upgrade)
        HTTP1ServerPipeline.handOver(context, from: self, to: log)
    }

    private func write(_ context: ChannelHandlerContext, _ head: HTTPResponseHead) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
    }
}

extension HTTPRequestHead {
    /// Whether it asks for another protocol (RFC 9110 §7.8).
    fileprivate var offersUpgrade: Bool {
        let options = headers[canonicalForm: "Connection"].map { $0.lowercased() }
        return version == .http1_1 && options.contains("upgrade") && headers.contains(name: "Upgrade")
    }
}

extension HTTPHeaders {
    /// Whether the client waits for 100 (RFC 9110 §10.1.1).
    fileprivate var expectsContinue: Bool {
        self[canonicalForm: "Expect"].contains { $0.lowercased() == "100-continue" }
    }
}
