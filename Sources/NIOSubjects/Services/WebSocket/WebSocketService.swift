import NIOCore
import NIOHTTP1
import NIOSSL
import NIOWebSocket

extension Service {
    /// NIOWebSocket behind NIOHTTP1's upgrade: `/echo` becomes a WebSocket, everything else stays HTTP.
    static let webSocket = Service.pipeline("nio-websocket") { _ in
        { channel in
            channel.eventLoop.makeCompletedFuture { try WebSocketEcho.configure(channel.pipeline.syncOperations) }
        }
    }

    /// The same behind NIOSSL.
    static let webSocketOverTLS = Service.pipeline("nio-websocket-tls", isOverTLS: true) { site in
        let context = try NIOSSLContext(configuration: site.serverConfiguration(["http/1.1"]))
        return { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(NIOSSLServerHandler(context: context))
                try WebSocketEcho.configure(pipeline)
            }
        }
    }
}

/// A WebSocket that sends back what comes (RFC 6455).
final class WebSocketEcho: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// Bytes of a frame that the decoder takes; beyond it the connection is closed with 1009.
    static let frameLimit = 1 << 17
    /// Bytes of a message of several frames.
    static let messageLimit = 1 << 20

    /// HTTP/1.1 that can become a WebSocket.
    static func configure(_ pipeline: ChannelPipeline.SynchronousOperations) throws {
        let upgrader = NIOWebSocketServerUpgrader(maxFrameSize: frameLimit) { channel, head in
            channel.eventLoop.makeSucceededFuture(head.uri == "/echo" ? HTTPHeaders() : nil)
        } upgradePipelineHandler: { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                let aggregator = NIOWebSocketFrameAggregator(
                    minNonFinalFragmentSize: 1, maxAccumulatedFrameCount: 64, maxAccumulatedFrameSize: messageLimit)
                try channel.pipeline.syncOperations.addHandlers([BackPressureHandler(), aggregator, WebSocketEcho()])
            }
        }
        try pipeline.configureHTTPServerPipeline(
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    let pipeline = context.pipeline.syncOperations
                    guard let http = try? pipeline.handler(type: HTTPServiceHandler.self) else { return }
                    pipeline.removeHandler(http, promise: nil)
                }
            ))
        try pipeline.addHandler(HTTPServiceHandler())
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text, .binary: send(context, frame.opcode, frame.unmaskedData)
        case .ping: send(context, .pong, frame.unmaskedData)
        case .connectionClose:
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            send(context, .connectionClose, frame.unmaskedData, promise: written)
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        context.fireChannelReadComplete()
    }

    private func send(
        _ context: ChannelHandlerContext, _ opcode: WebSocketOpcode, _ data: ByteBuffer,
        promise: EventLoopPromise<Void>? = nil
    ) {
        context.write(wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: data)), promise: promise)
    }
}
