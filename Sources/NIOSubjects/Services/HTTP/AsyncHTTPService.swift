import AnyloopSubjects
import NIOBridge
import NIOCore
import NIOHTTP1

extension Service {
    /// NIOHTTP1's server pipeline below asynchronous channels: a task for each connection.
    static let asyncHTTP1 = Service(name: "nio-async-http1") { loops, site in
        let bound = loops.group.any().makePromise(of: AsyncHTTPService.Server.self)
        bound.completeWithTask { try await AsyncHTTPService.bind(loops, site) }
        let server = try bound.futureResult.wait()
        let ended = loops.group.any().makePromise(of: Void.self)
        ended.completeWithTask { try await AsyncHTTPService.serve(server) }
        return RunningService(channel: server.channel, ended: ended.futureResult)
    }
}

/// The scenarios' HTTP server as structured concurrency has it.
enum AsyncHTTPService {
    typealias ResponsePart = HTTPPart<HTTPResponseHead, ByteBuffer>
    typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, ResponsePart>
    typealias Server = NIOAsyncChannel<Connection, Never>
    private typealias Requests = NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
    private typealias Responses = NIOAsyncChannelOutboundWriter<ResponsePart>

    /// Listens; what is accepted waits until `serve`.
    static func bind(_ loops: ServiceLoops, _ site: ServiceSite) async throws -> Server {
        let bootstrap = loops.server().serverChannelOption(.backlog, value: 2048)
        if let path = site.unixPath {
            return try await bootstrap.bind(
                unixDomainSocketPath: path, cleanupExistingSocketFile: true, serverBackPressureStrategy: nil,
                childChannelInitializer: connection)
        }
        return try await bootstrap.bind(
            host: "127.0.0.1", port: 0, serverBackPressureStrategy: nil, childChannelInitializer: connection)
    }

    /// Serves what `server` accepts until its channel is closed and the last connection has ended.
    static func serve(_ server: Server) async throws {
        try await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { tasks in
                for try await connection in connections {
                    tasks.addTask { await serve(connection) }
                }
            }
        }
    }

    @Sendable
    private static func connection(_ channel: any Channel) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline()
            try channel.pipeline.syncOperations.addHandler(BufferResponseHandler())
            return try Connection(wrappingChannelSynchronously: channel)
        }
    }

    private static func serve(_ connection: Connection) async {
        do {
            try await connection.executeThenClose { inbound, responses in
                var requests = inbound.makeAsyncIterator()
                while case .head(let head)? = try await requests.next() {
                    guard try await answer(head, &requests, responses) else { return }
                }
            }
        } catch {
            // The connection broke: who was there to be told is gone.
        }
    }

    /// Answers one request; whether the connection goes on.
    private static func answer(
        _ head: HTTPRequestHead, _ requests: inout Requests, _ responses: Responses
    ) async throws -> Bool {
        let route = HTTPServiceRoute(head)
        if route.wantsBody, head.headers.first(name: "expect")?.lowercased() == "100-continue" {
            try await responses.write(.head(HTTPResponseHead(version: head.version, status: .continue)))
        }
        switch route {
        case .refuse(let answer): return try await respond(answer, to: head, responses)
        case .mirror: return try await mirror(head, &requests, responses)
        case .hangUp: return false
        case .echo(let limit):
            var body = ByteBuffer()
            while case .body(var part)? = try await requests.next() {
                guard body.readableBytes + part.readableBytes <= limit else {
                    return try await respond(.tooLarge, to: head, responses)
                }
                body.writeBuffer(&part)
            }
            return try await respond(.echo(head, body), to: head, responses)
        case .check(let pause):
            var check = HTTPServiceCheck()
            while case .body(let part)? = try await requests.next() {
                check.take(part)
                if let pause { try await Task.sleep(for: Duration(pause)) }
            }
            return try await respond(check.answer, to: head, responses)
        case .answer, .pattern, .earlyHints, .breakOff, .silence:
            while case .body? = try await requests.next() {}
            return try await answer(head, route, &requests, responses)
        }
    }

    /// Answers a request that is over, by a route that does not look at its body.
    private static func answer(
        _ head: HTTPRequestHead, _ route: HTTPServiceRoute, _ requests: inout Requests, _ responses: Responses
    ) async throws -> Bool {
        switch route {
        case .answer(let answer): return try await respond(answer, to: head, responses)
        case .earlyHints(let answer):
            try await responses.write(.head(.earlyHints(head.version)))
            return try await respond(answer, to: head, responses)
        case .pattern(let count, let isAnnounced):
            try await responses.write(.head(.pattern(head.version, count: isAnnounced ? count : nil)))
            for offset in stride(from: 0, to: count, by: HTTPServiceRoute.portion) {
                try await responses.write(.body(.pattern(offset: offset, of: count)))
            }
            try await responses.write(.end(nil))
            return head.isKeepAlive
        case .breakOff(let isAnnounced):
            try await responses.write(.head(.pattern(head.version, count: isAnnounced ? 1000 : nil)))
            try await responses.write(.body(.pattern(offset: 0, of: 500)))
            try await Task.sleep(for: .milliseconds(20))
            return false
        case .silence:
            // The next thing that comes is the end.
            _ = try await requests.next()
            return false
        case .refuse, .mirror, .hangUp, .echo, .check: return true
        }
    }

    private static func mirror(
        _ head: HTTPRequestHead, _ requests: inout Requests, _ responses: Responses
    ) async throws -> Bool {
        try await responses.write(.head(HTTPResponseHead(version: head.version, status: .ok)))
        while case .body(let part)? = try await requests.next() { try await responses.write(.body(part)) }
        try await responses.write(.end(nil))
        return head.isKeepAlive
    }

    private static func respond(
        _ answer: HTTPServiceAnswer, to head: HTTPRequestHead, _ responses: Responses
    ) async throws -> Bool {
        var parts: [ResponsePart] = [.head(answer.head(for: head))]
        if answer.sendsBody(to: head) { parts.append(.body(answer.body)) }
        parts.append(.end(answer.trailers.isEmpty ? nil : HTTPHeaders(answer.trailers)))
        try await responses.write(contentsOf: parts)
        return !answer.closes(after: head)
    }
}

/// Makes NIOHTTP1's parts of responses out of such as may cross threads: without file regions.
private final class BufferResponseHandler: ChannelOutboundHandler {
    typealias OutboundIn = AsyncHTTPService.ResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: HTTPServerResponsePart =
            switch unwrapOutboundIn(data) {
            case .head(let head): .head(head)
            case .body(let body): .body(.byteBuffer(body))
            case .end(let trailers): .end(trailers)
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}
