import AnyloopSubjects
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// One request, and the promise of what its sender sees of the answer.
struct HTTPClientExchange: Sendable {
    /// What is asked.
    let step: ScenarioStep
    /// The value of `Host`.
    let host: String
    /// What came of it; never fails.
    let seen: EventLoopPromise<ScenarioView>
}

/// Sends exchanges behind NIO's HTTP client handlers, one at a time, and says what came.
final class HTTPClientHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientExchange
    typealias OutboundOut = HTTPClientRequestPart

    /// An exchange under way.
    private struct Current {
        let exchange: HTTPClientExchange
        let limit: Scheduled<Void>
        var view = ScenarioView()
        var isKeptAlive = true
    }

    private var current: Current?
    /// What a sender sees whose exchange comes too late for this handler: why the connection ended.
    private let broken: EventLoopPromise<ScenarioView>

    /// Bytes of a body in one part.
    private static let portion = 16384

    /// A handler that completes `broken` when the connection ends.
    init(broken: EventLoopPromise<ScenarioView>) {
        self.broken = broken
    }

    // MARK: Requests

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let exchange = unwrapOutboundIn(data)
        guard current == nil else {
            promise?.fail(ChannelError.operationUnsupported)
            return exchange.seen.succeed(Self.view(.other, "another exchange is under way"))
        }
        let limit = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(exchange.step.timeLimit))) {
            self.stop(context, .timedOut)
        }
        current = Current(exchange: exchange, limit: limit)
        let step = exchange.step
        var head = HTTPRequestHead(
            version: step.http10 ? .http1_0 : .http1_1, method: HTTPMethod(rawValue: step.method), uri: step.path)
        head.headers.add(name: "host", value: exchange.host)
        head.headers.add(name: "accept", value: "*/*")
        if let range = step.range { head.headers.add(name: "range", value: "bytes=\(range)") }
        if case .basic(let user, let password) = step.credentials {
            head.headers.add(name: "authorization", value: Self.basic(user, password))
        }
        for (name, value) in step.fields { head.headers.add(name: name, value: value) }
        let body: [UInt8]
        switch step.body {
        case .none: body = []
        case .text(let text): body = Array(text.utf8)
        case .pattern(let count), .chunkedPattern(let count): body = PatternBytes.bytes(count: count)
        }
        switch step.body {
        case .none: break
        case .text, .pattern: head.headers.add(name: "content-length", value: String(body.count))
        case .chunkedPattern: head.headers.add(name: "transfer-encoding", value: "chunked")
        }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        for start in stride(from: 0, to: body.count, by: Self.portion) {
            let part = ByteBuffer(bytes: body[start..<min(start + Self.portion, body.count)])
            context.write(wrapOutboundOut(.body(.byteBuffer(part))), promise: nil)
        }
        context.write(wrapOutboundOut(.end(nil)), promise: promise)
    }

    // MARK: Responses

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            current?.view.status = Int(head.status.code)
            current?.view.version = "\(head.version.major).\(head.version.minor)"
            current?.view.fields = head.headers.map { ($0.name.lowercased(), $0.value) }
            current?.isKeptAlive = head.isKeepAlive
        case .body(let part): take(context, part)
        case .end(let trailers):
            current?.view.fields += (trailers ?? [:]).map { ($0.name.lowercased(), $0.value) }
            let isKeptAlive = current?.isKeptAlive == true
            // Said first: closing may end the channel before it returns.
            finish(.ok)
            if !isKeptAlive { context.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(current?.view.status == 0 ? .emptyReply : .partial)
        // Without effect where an error came before.
        broken.succeed(Self.view(.emptyReply, "the connection had ended"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        current?.view.note = "\(error)"
        if let outcome = Self.outcome(of: error) {
            finish(outcome)
            broken.succeed(Self.view(outcome, "\(error)"))
        }
        context.close(promise: nil)
    }

    private func take(_ context: ChannelHandlerContext, _ part: ByteBuffer) {
        guard let exchange = current?.exchange, let count = current?.view.body.count else { return }
        let room = exchange.step.abortAfter.map { $0 - count } ?? Int.max
        current?.view.body += part.readableBytesView.prefix(room)
        if part.readableBytes >= room { return stop(context, .clientAborted) }
        guard let pause = exchange.step.pausePerPart else { return }
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        _ = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(pause))) {
            try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }

    /// Ends the exchange from this side, and the connection with it.
    private func stop(_ context: ChannelHandlerContext, _ outcome: ScenarioOutcome) {
        guard current != nil else { return }
        finish(outcome)
        context.close(promise: nil)
    }

    private func finish(_ outcome: ScenarioOutcome) {
        guard var ended = current else { return }
        current = nil
        ended.limit.cancel()
        ended.view.outcome = outcome
        ended.exchange.seen.succeed(ended.view)
    }

    // MARK: Words

    /// The outcome that `error` stands for; nil where the channel's end tells it, which comes next: the end in the
    /// midst of a message, plain and over TLS.
    private static func outcome(of error: any Error) -> ScenarioOutcome? {
        switch error {
        case HTTPParserError.invalidEOFState, NIOSSLError.uncleanShutdown: nil
        case is IOError: .receiveFailed
        case is HTTPParserError: .malformed
        case NIOSSLError.handshakeFailed: .certificateRefused
        case let error as NIOSSLExtraError where error == .failedToValidateHostname: .certificateRefused
        default: .other
        }
    }

    /// A view of nothing but this end.
    static func view(_ outcome: ScenarioOutcome, _ note: String) -> ScenarioView {
        var view = ScenarioView()
        view.outcome = outcome
        view.note = note
        return view
    }

    private static func basic(_ user: String, _ password: String) -> String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }
}
