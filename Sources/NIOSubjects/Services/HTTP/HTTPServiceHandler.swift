import AnyloopSubjects
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// The scenarios' HTTP server as a NIO handler: behind HTTP/1.1's pipeline, and on every stream of HTTP/2.
final class HTTPServiceHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// A request, and what came of it so far.
    private struct Exchange {
        let head: HTTPRequestHead
        let route: HTTPServiceRoute
        var body = ByteBuffer()
        var check = HTTPServiceCheck()
    }

    /// A body that is being sent as the peer takes it.
    private struct Sending {
        let head: HTTPRequestHead
        let count: Int
        var offset = 0
    }

    private enum State {
        /// Between two requests, or done with one whose body is still coming.
        case idle
        case receiving(Exchange)
        case sending(Sending)
    }

    private var state = State.idle

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(context, head)
        case .body(let part):
            guard case .receiving(var exchange) = state else { return }
            // The buffer must not have two owners while it grows.
            state = .idle
            take(context, part, &exchange)
        case .end:
            guard case .receiving(let exchange) = state else { return }
            state = .idle
            end(context, exchange)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        // The end of writability is told in the midst of a write, where another one would get into it.
        if context.channel.isWritable { sendMore(context) }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An upgrade that does not come about leaves a request like any other.
        guard !(error is NIOWebSocketUpgradeError) else { return }
        context.close(promise: nil)
    }

    // MARK: Requests

    private func begin(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
        let exchange = Exchange(head: head, route: HTTPServiceRoute(head))
        state = .receiving(exchange)
        if exchange.route.wantsBody, head.headers.first(name: "expect")?.lowercased() == "100-continue" {
            write(context, .head(HTTPResponseHead(version: head.version, status: .continue)))
            context.flush()
        }
        switch exchange.route {
        case .refuse(let answer):
            state = .idle
            respond(context, to: head, answer)
        case .mirror: write(context, .head(HTTPResponseHead(version: head.version, status: .ok)))
        case .hangUp: context.close(promise: nil)
        case .answer, .echo, .check, .pattern, .earlyHints, .breakOff, .silence: break
        }
    }

    private func take(_ context: ChannelHandlerContext, _ part: ByteBuffer, _ exchange: inout Exchange) {
        var part = part
        switch exchange.route {
        case .echo(let limit):
            guard exchange.body.readableBytes + part.readableBytes <= limit else {
                return respond(context, to: exchange.head, .tooLarge)
            }
            exchange.body.writeBuffer(&part)
        case .check(let pause):
            exchange.check.take(part)
            if let pause { rest(context, pause) }
        case .mirror: write(context, .body(.byteBuffer(part)))
        case .answer, .pattern, .earlyHints, .refuse, .breakOff, .hangUp, .silence: break
        }
        state = .receiving(exchange)
    }

    private func end(_ context: ChannelHandlerContext, _ exchange: Exchange) {
        let head = exchange.head
        switch exchange.route {
        case .answer(let answer): respond(context, to: head, answer)
        case .earlyHints(let answer):
            write(context, .head(.earlyHints(head.version)))
            respond(context, to: head, answer)
        case .echo:
            respond(context, to: head, .echo(head, exchange.body))
        case .check: respond(context, to: head, exchange.check.answer)
        case .mirror: finish(context, head, closing: false)
        case .pattern(let count, let isAnnounced):
            write(context, .head(.pattern(head.version, count: isAnnounced ? count : nil)))
            state = .sending(Sending(head: head, count: count))
            sendMore(context)
        case .breakOff(let isAnnounced):
            write(context, .head(.pattern(head.version, count: isAnnounced ? 1000 : nil)))
            write(context, .body(.byteBuffer(.pattern(offset: 0, of: 500))))
            context.flush()
            _ = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { context.close(promise: nil) }
        case .refuse, .hangUp, .silence: break
        }
    }

    /// Reads nothing for so long.
    private func rest(_ context: ChannelHandlerContext, _ pause: TimeAmount) {
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        _ = context.eventLoop.assumeIsolated().scheduleTask(in: pause) {
            try? context.channel.syncOptions?.setOption(.autoRead, value: true)
            // A stream of HTTP/2 goes on reading only when it is asked to.
            context.read()
        }
    }

    // MARK: Responses

    private func respond(_ context: ChannelHandlerContext, to head: HTTPRequestHead, _ answer: HTTPServiceAnswer) {
        write(context, .head(answer.head(for: head)))
        if answer.sendsBody(to: head) { write(context, .body(.byteBuffer(answer.body))) }
        finish(context, head, closing: answer.closes(after: head), trailers: answer.trailers)
    }

    private func finish(
        _ context: ChannelHandlerContext, _ head: HTTPRequestHead, closing: Bool, trailers: [(String, String)] = []
    ) {
        let end = HTTPServerResponsePart.end(trailers.isEmpty ? nil : HTTPHeaders(trailers))
        guard closing || !head.isKeepAlive, head.version.major < 2 else {
            return context.writeAndFlush(wrapOutboundOut(end), promise: nil)
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(end), promise: written)
    }

    /// Sends of the generated body what the peer takes now.
    private func sendMore(_ context: ChannelHandlerContext) {
        while case .sending(var sending) = state, sending.offset < sending.count, context.channel.isWritable {
            let part = ByteBuffer.pattern(offset: sending.offset, of: sending.count)
            sending.offset += part.readableBytes
            state = .sending(sending)
            write(context, .body(.byteBuffer(part)))
        }
        guard case .sending(let sending) = state, sending.offset == sending.count else {
            // This may end in another call of this method, so it comes last.
            return context.flush()
        }
        state = .idle
        finish(context, sending.head, closing: false)
    }

    private func write(_ context: ChannelHandlerContext, _ part: HTTPServerResponsePart) {
        context.write(wrapOutboundOut(part), promise: nil)
    }
}
