// NIOHTTP1's server pipeline and one handler that says hello.
import HelloOptions
import NIOBridge
import NIOCore
import NIOHTTP1
import NIOPosix

/// Answers every request with the same greeting, in one flush.
final class Greeter: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let body: ByteBuffer
    private var keepsAlive = true

    init(_ allocator: ByteBufferAllocator) {
        body = allocator.buffer(string: HelloOptions.greeting)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): keepsAlive = head.isKeepAlive
        case .body: break
        case .end: answer(context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        let headers = HTTPHeaders([("Content-Length", String(body.readableBytes)), ("Content-Type", "text/plain")])
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        if keepsAlive {
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        } else {
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
        }
    }
}

@Sendable func prepare(_ channel: any Channel) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.configureHTTPServerPipeline()
        try channel.pipeline.syncOperations.addHandler(Greeter(channel.allocator))
    }
}

let options = HelloOptions()
let group = try options.makeGroup()
let listener =
    switch options.loop {
    case .native:
        try NativeServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 1024)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer(prepare)
            .bind(host: "127.0.0.1", port: options.port).wait()
    case .nio:
        try ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 1024)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer(prepare)
            .bind(host: "127.0.0.1", port: options.port).wait()
    }
try listener.closeFuture.wait()
