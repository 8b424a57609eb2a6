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
        try HTTP1ClientRecorder(conversation).join(
            channel, encoder: HTTPRequestEncoder(), decoder: ByteToMessageHandler(decoder),
            others: [NIOHTTPRequestHeadersValidator()])
    }
}

/// The application: it asks as soon as the connection stands, and closes it when a response says so.
final class HTTP1ClientRecorder: HTTP1Recorder<HTTPResponseHead, HTTPRequestHead> {
    private let methods: [HTTPMethod]
    private var answered = 0

    init(_ conversation: PipelineConversation) {
        let methods = conversation.fixture.requests
        self.methods = (methods.isEmpty ? ["GET"] : methods).map { HTTPMethod(rawValue: $0) }
        super.init(conversation, .client)
    }

    override func connected(_ context: ChannelHandlerContext) {
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

    override func ended(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) {
        let method = answered < methods.count ? methods[answered] : .GET
        answered += 1
        let isTunnel = method == .CONNECT && (200..<300).contains(head.status.code)
        if isTunnel || head.status == .switchingProtocols {
            guard acceptsUpgrade else { return close(context) }
            handOver(context)
        } else if !head.isKeepAlive {
            close(context)
        }
    }

    private func close(_ context: ChannelHandlerContext) {
        isClosing = true
        context.close(promise: nil)
    }
}

extension HTTPResponseHead: HTTP1Head {
    var isInterim: Bool { (100..<200).contains(status.code) && status != .switchingProtocols }

    func record(in log: TraceLog) { log.event(.head, "\(status.code)", version.description) }
}
