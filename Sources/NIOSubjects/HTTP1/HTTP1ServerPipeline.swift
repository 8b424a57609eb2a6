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
        try HTTP1ServerRecorder(conversation).join(
            channel, encoder: HTTPResponseEncoder(),
            decoder: ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes)),
            others: [
                HTTPServerPipelineHandler(), NIOHTTPResponseHeadersValidator(), HTTPServerProtocolErrorHandler(),
            ])
    }
}

/// The application: it reads each request to its end and answers with 200 and the target, or takes an upgrade.
final class HTTP1ServerRecorder: HTTP1Recorder<HTTPRequestHead, HTTPResponseHead> {
    init(_ conversation: PipelineConversation) { super.init(conversation, .server) }

    override func begun(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard head.version == .http1_1, head.headers.expectsContinue else { return }
        write(context, HTTPResponseHead(version: .http1_1, status: .continue))
        context.flush()
    }

    override func ended(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
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
        handOver(context)
    }

    private func write(_ context: ChannelHandlerContext, _ head: HTTPResponseHead) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
    }
}

extension HTTPRequestHead: HTTP1Head {
    var isInterim: Bool { false }

    func record(in log: TraceLog) { log.event(.head, method.rawValue, uri, version.description) }

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
