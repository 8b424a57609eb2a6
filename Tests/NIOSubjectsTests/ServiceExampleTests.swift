import AnyloopSubjects
import NIOBridge
import NIOCore
import NIOHTTP1
import Testing

/// Greets whoever asks.
final class Greeter: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        let greeting = ByteBuffer(string: "hello from our loop\n")
        let fields = HTTPHeaders([("content-length", String(greeting.readableBytes))])
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(greeting))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

@Suite("The page's examples of services")
struct ServiceExampleTests {
    @Test("The server answers, and ends when it is told to")
    func server() async throws {
        let group = try NativeEventLoopGroup(numberOfThreads: 2)
        let server = try await NativeServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Greeter())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let target = ScenarioTarget(port: UInt16(server.localAddress?.port ?? 0))
        let scenario = Scenario.one(
            "greeting", "curl is greeted", ScenarioStep("/"), [.status(200), .body("hello from our loop\n")])
        #expect(CurlClient.run(scenario, against: target) == [])
        #expect(try await status(at: server.localAddress, on: group) == .ok)
        try await server.close()
        try await group.shutdownGracefully()
    }

    /// Asks for `/` with NIO's client handlers.
    private func status(
        at address: SocketAddress?, on group: NativeEventLoopGroup
    ) async throws -> HTTPResponseStatus {
        let address = try #require(address)
        // begin: nio-client
        let answer = group.any().makePromise(of: HTTPResponseStatus.self)
        let channel = try await NativeClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(Asker(answer))
                }
            }
            .connect(to: address).get()
        let status = try await answer.futureResult.get()
        try await channel.close()
        // end: nio-client
        return status
    }
}

/// Asks as soon as it is connected, and keeps the answer's status.
private final class Asker: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let answer: EventLoopPromise<HTTPResponseStatus>

    init(_ answer: EventLoopPromise<HTTPResponseStatus>) {
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: ["host": "localhost"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        answer.succeed(head.status)
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
}
