import NIOBridge
import NIOCore
import NIOHTTP1
import Testing

@Suite struct HostStreamTests {
    @Test func echoesWhatItGets() async throws {
        try await withGroup(threads: 2) { group in
            let server = try await NativeServerBootstrap(group: group)
                .childChannelInitializer { $0.pipeline.addHandler(EchoHandler()) }
                .bindLocally()
            let recorder = RecordingHandler()
            let client = try await NativeClientBootstrap(group: group)
                .channelInitializer { $0.pipeline.addHandler(recorder) }
                .connect(toServer: server)
            try await client.writeAndFlush(ByteBuffer(string: "hello")).get()
            try await client.close(mode: .output).get()
            try await client.closeFuture.get()
            #expect(recorder.text == "hello")
            #expect(recorder.events == ["registered", "active", "outputClosed", "inactive", "unregistered", "removed"])
            try await server.close().get()
        }
    }

    /// NIOHTTP1's pipelines on both sides, as NIO's own examples set them up.
    @Test func servesHTTP() async throws {
        try await withGroup { group in
            let server = try await NativeServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                        try channel.pipeline.syncOperations.addHandler(HelloHandler())
                    }
                }
                .bindLocally()
            let answer = group.any().makePromise(of: String.self)
            let client = try await NativeClientBootstrap(group: group)
                .channelInitializer { channel in
                    channel.pipeline.addHTTPClientHandlers().flatMapThrowing {
                        try channel.pipeline.syncOperations.addHandler(AnswerHandler(answer))
                    }
                }
                .connect(toServer: server)
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: ["host": "test"])
            client.write(HTTPClientRequestPart.head(head), promise: nil)
            client.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            #expect(try await answer.futureResult.get() == "hello from /")
        }
    }
}

private final class HelloHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private var uri = ""

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): uri = head.uri
        case .body: break
        case .end:
            let body = ByteBuffer(string: "hello from \(uri)")
            let head = HTTPResponseHead(
                version: .http1_1, status: .ok, headers: ["content-length": "\(body.readableBytes)"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answer: EventLoopPromise<String>
    private var text = ""

    init(_ answer: EventLoopPromise<String>) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: break
        case .body(let body): text += String(buffer: body)
        case .end: answer.succeed(text)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { answer.fail(error) }
}
