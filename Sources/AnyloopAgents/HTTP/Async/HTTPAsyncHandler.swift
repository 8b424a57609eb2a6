import AnyloopCore
import AnyloopWire
import HTTPTypes

/// Answers a request in a task, which runs on the loop's thread.
///
/// Gets the request's head, its body and the means to respond. Returning without a response, or throwing before it
/// has begun, is answered with 500; throwing later aborts the connection. A response that was started is finished
/// on return. The task is cancelled when the connection is lost.
public typealias HTTPAsyncHandler =
    @Sendable (_ request: HTTPRequest, _ body: HTTPBodyChunks, _ response: HTTPResponseWriter) async throws -> Void

extension HTTPService {
    /// A service that answers with a task for each request.
    public convenience init(options: HTTPServerOptions = HTTPServerOptions(), asyncHandler: @escaping HTTPAsyncHandler)
    {
        let runner = HTTPAsyncRunner(asyncHandler)
        self.init(options: options) { runner.handle($0) }
    }
}

extension HTTPServer {
    /// A server on `loop` that answers with a task for each request.
    public convenience init(
        loop: any Loop, options: HTTPServerOptions = HTTPServerOptions(), asyncHandler: @escaping HTTPAsyncHandler
    ) {
        self.init(loop: loop, service: HTTPService(options: options, asyncHandler: asyncHandler))
    }
}

/// Starts the tasks of one service.
final class HTTPAsyncRunner {
    private let handler: HTTPAsyncHandler
    /// What the service's loop has for tasks; known from the first request on.
    private var place: (executor: any TaskExecutor, remote: any LoopRemote)?

    init(_ handler: @escaping HTTPAsyncHandler) {
        self.handler = handler
    }

    func handle(_ exchange: HTTPServerExchange) {
        guard let place = place ?? findPlace(exchange) else { return }
        let bridge = HTTPExchangeBridge(exchange, remote: place.remote)
        exchange.bridge = bridge
        let request = exchange.request
        let handler = handler
        bridge.task = Task(executorPreference: place.executor) {
            do {
                try await handler(request, HTTPBodyChunks(stream: bridge.body), HTTPResponseWriter(bridge))
                bridge.handlerReturned(nil)
            } catch {
                bridge.handlerReturned(error)
            }
        }
    }

    private func findPlace(_ exchange: HTTPServerExchange) -> (executor: any TaskExecutor, remote: any LoopRemote)? {
        guard let loop = exchange.loop else { return nil }
        place = (RemoteTaskExecutor.executor(of: loop), loop.remote)
        return place
    }
}

/// An exchange as a task reaches it.
///
/// `@unchecked Sendable`: the exchange and all state are touched on the loop's thread only; whatever comes from
/// elsewhere goes there first. Once the loop is closed, the exchange is over and nothing is touched any more.
final class HTTPExchangeBridge: @unchecked Sendable {
    private let remote: any LoopRemote
    private let exchange: HTTPServerExchange
    private var failure: HTTPServerError?
    private var isOver = false
    private var writers: [CheckedContinuation<Void, any Error>] = []
    /// The request's body; nil where it has none.
    let body: HTTPChunkStream?
    var task: Task<Void, Never>?

    init(_ exchange: HTTPServerExchange, remote: any LoopRemote) {
        self.exchange = exchange
        self.remote = remote
        body = exchange.framing == .none ? nil : HTTPChunkStream(remote: remote)
        guard let body else { return }
        body.onStart = { [unowned self] in
            self.exchange.readBody { [body] in
                body.push($0)
            } onEnd: { [body] in
                body.finish(.success($0))
            }
        }
        body.onPause = { [unowned exchange] in $0 ? exchange.pauseBody() : exchange.resumeBody() }
    }

    /// The exchange is over.
    func closed(_ error: HTTPServerError?) {
        isOver = true
        failure = error
        body?.finish(.failure(error ?? .misuse("the response is finished: the body's rest was dropped")))
        resumeWriters()
        if error != nil { task?.cancel() }
        task = nil
    }

    private func resumeWriters() {
        let waiting = writers
        writers = []
        for writer in waiting { settle(writer) }
    }

    private func settle(_ writer: CheckedContinuation<Void, any Error>) {
        if let failure {
            writer.resume(throwing: failure)
        } else if isOver || exchange.isWritable {
            writer.resume()
        } else {
            if exchange.onWritable == nil { exchange.onWritable = { [unowned self] in resumeWriters() } }
            writers.append(writer)
        }
    }

    /// Sends a whole response; on the loop's thread without a closure.
    func respond(_ response: HTTPResponse, _ body: [UInt8]) async throws {
        guard remote.isOnLoopThread else { return try await write { $0.respond(response, body: body) } }
        exchange.respond(response, body: body)
        if let failure { throw failure }
        if exchange.isOver || exchange.isWritable { return }
        try await withCheckedThrowingContinuation { settle($0) }
    }

    /// Runs `body` on the loop; whether the exchange is still there is `body`'s business.
    func perform(_ body: @escaping @Sendable (HTTPServerExchange) -> Void) {
        remote.perform { body(self.exchange) }
    }

    /// Runs `body` on the loop and waits until the peer takes more.
    func write(_ body: @escaping @Sendable (HTTPServerExchange) -> Void) async throws {
        if remote.isOnLoopThread {
            // The usual case: no continuation, no hop.
            body(exchange)
            if let failure { throw failure }
            if exchange.isOver || exchange.isWritable { return }
        }
        let isDone = remote.isOnLoopThread
        try await withCheckedThrowingContinuation { continuation in
            let isOpen = remote.perform {
                if !isDone { body(self.exchange) }
                self.settle(continuation)
            }
            if !isOpen { continuation.resume(throwing: TransportError.loopClosed) }
        }
    }

    /// What `body` finds on the loop; nil once that is closed.
    func read<Value: Sendable>(_ body: @escaping @Sendable (HTTPServerExchange) -> Value) async -> Value? {
        await withCheckedContinuation { continuation in
            if !remote.perform({ continuation.resume(returning: body(self.exchange)) }) {
                continuation.resume(returning: nil)
            }
        }
    }

    func handlerReturned(_ error: (any Error)?) {
        guard remote.isOnLoopThread else { return _ = remote.callSoonThreadsafe { [self] in ended(error) } }
        ended(error)
    }

    private func ended(_ error: (any Error)?) {
        task = nil
        guard !isOver else { return }
        switch (exchange.hasStarted, error) {
        case (false, let error as HTTPBodyTooLarge):
            exchange.respond(
                HTTPServerResponses.plain(.contentTooLarge), body: Array("413 Content Too Large: \(error)\n".utf8))
        case (_, let error?): exchange.handlerFailed(error)
        case (false, nil): exchange.handlerFailed(HTTPServerError.misuse("the handler returned without a response"))
        case (true, nil): exchange.finishIfStreaming()
        }
    }
}

/// The means to answer a request from a task.
///
/// `write` waits while the write buffer is above its high watermark. All methods throw once the connection is lost.
public struct HTTPResponseWriter: Sendable {
    let bridge: HTTPExchangeBridge

    init(_ bridge: HTTPExchangeBridge) {
        self.bridge = bridge
    }

    /// What the connection's TLS handshake agreed on; nil for plain HTTP, and once the exchange is over.
    public var tls: TLSInfo? {
        get async { await bridge.read { $0.tls } ?? nil }
    }

    /// Sends a whole response; see `HTTPServerExchange.respond`.
    public func respond(_ response: HTTPResponse, body: [UInt8] = []) async throws {
        try await bridge.respond(response, body)
    }

    /// Sends an interim response such as 103.
    public func sendInformational(_ response: HTTPResponse) async throws {
        try await bridge.write { $0.sendInformational(response) }
    }

    /// Sends the head of a response whose body follows by `write`.
    public func start(_ response: HTTPResponse) async throws {
        try await bridge.write { $0.start(response) }
    }

    /// Sends a piece of the body.
    public func write(_ bytes: [UInt8]) async throws {
        try await bridge.write { $0.write(bytes) }
    }

    /// Ends the body.
    public func finish(trailers: HTTPFields? = nil) async throws {
        try await bridge.write { $0.finish(trailers: trailers) }
    }
}
