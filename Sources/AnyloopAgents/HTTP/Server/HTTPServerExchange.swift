import AnyloopCore
import AnyloopWire
import HTTPTypes

/// One request and its response, as the handler sees them. Confined to the loop's thread.
///
/// The handler answers when it likes, inside its call or later: either with `respond`, or with `start`, any
/// number of `write` and `sendFile`, and `finish`. Until then the connection's next request waits. Calls that
/// contradict this order are reported to the loop's exception handler and have no effect; calls after the
/// exchange is over have none.
public final class HTTPServerExchange {
    /// Makes the protocol that takes a transport over, given what was received behind the request.
    public typealias Successor = (any StreamTransport, [UInt8]) throws -> any StreamProtocol

    enum ResponsePhase {
        case none, streaming, finished
    }

    /// How the end of the response's body is told.
    enum ResponseFraming: Equatable {
        case none
        case length(Int64)
        case chunked
        case untilClose
    }

    private var connection: HTTPServerProtocol?
    var responsePhase = ResponsePhase.none
    var responseFraming = ResponseFraming.none
    var isRequestComplete = false
    /// The client waits for 100 and has not got it.
    var mustContinue = false
    var takeOver: (HTTPResponse, Successor)?

    /// What an exchange that nobody can see has for a head.
    private static let noHead = HTTP1Parser(role: .requests).head

    private var keptHead: HTTP1Head?
    private var keptIsSecure = false
    private var keptRequest: HTTPRequest?
    private var onChunk: ((Span<UInt8>) throws -> Void)?
    private var onBodyEnd: ((HTTPFields?) throws -> Void)?

    /// The request's method.
    public private(set) var method = HTTP1Method.other
    /// The version that the request names.
    public private(set) var version = HTTP1Version.http11
    /// How the request's body is framed; `.none`: there is none.
    public private(set) var framing = HTTP1Framing.none

    init() {}

    // MARK: The request

    /// The request's head as the parser has it; cheap, unlike `request`.
    public var head: HTTP1Head { keptHead ?? connection?.parser.head ?? Self.noHead }

    /// The request's head; made when first asked for.
    ///
    /// Its scheme is the target's own where that is in absolute form, else the connection's; `tls` is sure.
    public var request: HTTPRequest {
        if let keptRequest { return keptRequest }
        let request = HTTPRequest(head, scheme: connection?.isSecure ?? keptIsSecure ? "https" : "http")
        keptRequest = request
        return request
    }

    /// The loop that this exchange runs on; nil once it is over.
    public var loop: (any Loop)? { connection?.loop }

    /// The client's address.
    public var peerName: SocketAddress? { connection?.transport?.peerName }

    /// What the connection's TLS handshake agreed on: version, application protocol, the client's certificates.
    ///
    /// Nil for plain HTTP, and once the exchange is over.
    public var tls: TLSInfo? { connection?.transport?.tls }

    /// Whether the exchange is over: its response is finished and the request complete, or the connection gone.
    public var isOver: Bool { connection == nil }

    /// Delivers the body: each piece, lent for the length of the call, then once its end with trailers if any.
    ///
    /// A client that waits for it is told `100 Continue`. Without this call the body waits, and is drained up to
    /// `HTTPServerOptions.unreadBodyLimit` after the response. What `onChunk` and `onEnd` throw counts as
    /// thrown by the handler. If the body breaks off, only `onClosed` runs.
    public func readBody(
        onChunk: @escaping (Span<UInt8>) throws -> Void, onEnd: @escaping (HTTPFields?) throws -> Void
    ) {
        guard let connection else { return }
        guard onBodyEnd == nil else { return report("the request's body is being read already") }
        self.onChunk = onChunk
        onBodyEnd = onEnd
        if isRequestComplete {
            connection.loop?.callSoon { [self] in
                guard let connection = self.connection else { return }
                connection.turn { connection.run(self) { try notifyEnd(nil) } }
            }
        } else {
            connection.startReadingBody(self)
        }
    }

    /// Collects the body and hands it over whole; one of more than `limit` bytes is answered with 413.
    public func collectBody(limit: Int, _ completion: @escaping ([UInt8], HTTPFields?) throws -> Void) {
        var body: [UInt8] = []
        if case .length(let length) = framing, length > limit { return refuseBody() }
        readBody { [unowned self] chunk in
            guard body.count + chunk.count <= limit else { return refuseBody() }
            body.append(copying: chunk)
        } onEnd: { trailers in
            try completion(body, trailers)
        }
    }

    private func refuseBody() {
        let text = "413 Content Too Large\n"
        respond(HTTPServerResponses.plain(.contentTooLarge), body: Array(text.utf8))
    }

    /// Holds up the body: nothing is delivered until `resumeBody`, and reading stops when enough waits.
    public func pauseBody() {
        guard let connection, connection.bodyMode == .delivering else { return }
        connection.setBodyMode(.paused)
    }

    /// Undoes `pauseBody`; what waits is delivered in a later turn.
    public func resumeBody() {
        guard let connection, connection.bodyMode == .paused else { return }
        connection.setBodyMode(.delivering)
    }

    // MARK: The response

    /// Whether a response has begun.
    public var hasStarted: Bool { responsePhase != .none }

    /// Sends a whole response; `Content-Length` is ours to write. For HEAD the body is left out.
    public func respond(_ response: HTTPResponse, body: [UInt8] = []) {
        guard let connection else { return }
        guard responsePhase == .none else { return report("the response has begun already: use write and finish") }
        connection.respond(self, response, body)
    }

    /// Sends an interim response such as 103 (RFC 8297); dropped for HTTP/1.0 (RFC 9110 §15.2).
    public func sendInformational(_ response: HTTPResponse) {
        guard let connection, version >= .http11 else { return }
        guard responsePhase == .none, (102...199).contains(response.status.code) else {
            return report("an interim response has a status of 102 to 199 and comes before the final one")
        }
        connection.sendInformational(response)
    }

    /// Sends a response's head; the body follows by `write`. With `Content-Length` the body must have that
    /// length, else it goes out in chunks, or until close to HTTP/1.0.
    public func start(_ response: HTTPResponse) {
        guard let connection else { return }
        guard responsePhase == .none else { return report("the response has begun already") }
        connection.start(self, response)
    }

    /// Sends a piece of the body. Watch `isWritable` to not pile up more than the peer takes.
    public func write(_ bytes: [UInt8]) {
        guard let connection else { return }
        guard responsePhase == .streaming else { return report("write comes after start and before finish") }
        connection.write(self, bytes)
    }

    /// Sends a part of an open file as a piece of the body; `completion` as for `StreamTransport.sendFile`.
    ///
    /// If the file is shorter, the connection is aborted. `completion` runs once, also if the exchange is over.
    public func sendFile(
        descriptor: Int32, offset: Int64, count: Int,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        guard let connection, responsePhase == .streaming else {
            if connection != nil { report("sendFile comes after start and before finish") }
            return completion(.failure(.cancelled))
        }
        connection.sendFile(self, descriptor: descriptor, offset: offset, count: count, completion: completion)
    }

    /// Ends the body. Trailers go out only where the body is chunked; those that would change framing are dropped.
    public func finish(trailers: HTTPFields? = nil) {
        guard let connection else { return }
        guard responsePhase == .streaming else { return report("finish comes after start, once") }
        connection.finish(self, trailers)
    }

    /// Whether the write buffer is below its high watermark.
    public var isWritable: Bool { connection.map { !$0.isWritePaused } ?? false }

    /// Called when the write buffer has drained after `isWritable` was false.
    public var onWritable: (() throws -> Void)?

    /// Called once when the exchange is over: with nil after response and request were complete, else with why not.
    public var onClosed: ((HTTPServerError?) -> Void)?

    /// The task that answers, in the place of `onClosed`: one object instead of a closure for each request.
    var bridge: HTTPExchangeBridge?

    /// Ends the connection without a complete response; what is queued is dropped.
    ///
    /// The peer's stream ends early, or is reset where an early end would look like a complete body.
    public func abort() {
        endConnection(reset: responseFraming == .untilClose && responsePhase == .streaming)
    }

    /// Ends the connection with a reset, so that the peer cannot take it for anything but a failure.
    public func reset() {
        endConnection(reset: true)
    }

    private func endConnection(reset: Bool) {
        guard let connection else { return }
        connection.exchange = nil
        connection.turn { connection.abortNow(reset: reset) }
        end(.connectionLost(.cancelled))
    }

    /// Whether the client offers to switch protocols: it sent `Upgrade`, or CONNECT for a tunnel.
    public var offersTakeOver: Bool { method == .connect || head.offersUpgrade }

    /// Agrees to switch: sends `response` (101 with `Upgrade` and `Connection`, or 2xx to CONNECT) once the request
    /// is complete, then gives transport and remaining bytes to the protocol that `successor` makes. That one gets
    /// no `connectionMade`; its first callback is whatever happens next.
    public func takeOver(with response: HTTPResponse, _ successor: @escaping Successor) {
        guard let connection else { return }
        guard responsePhase == .none, offersTakeOver else {
            return report("a connection is taken over before the response begins, if the client offers it")
        }
        connection.takeOver(self, response, successor)
    }

    // MARK: From the connection

    func begin(
        _ connection: HTTPServerProtocol, method: HTTP1Method, version: HTTP1Version, framing: HTTP1Framing,
        expectsContinue: Bool
    ) {
        self.connection = connection
        self.method = method
        self.version = version
        self.framing = framing
        mustContinue = expectsContinue && framing != .none && framing != .length(0)
    }

    func notifyBody(_ bytes: Span<UInt8>) throws {
        try onChunk?(bytes)
    }

    func notifyEnd(_ trailers: HTTPFields?) throws {
        let callback = onBodyEnd
        onChunk = nil
        try callback?(trailers)
    }

    func notifyWritable() throws {
        try onWritable?()
    }

    /// Whether someone waits for the end.
    var isObserved: Bool { onClosed != nil || bridge != nil }

    /// The exchange is over; who still holds it can read the request.
    func end(_ error: HTTPServerError?) {
        guard let connection else { return }
        // A task asked for the request before; the parser may write over the head.
        if bridge == nil {
            keptHead = connection.parser.head
            keptIsSecure = connection.isSecure
        }
        self.connection = nil
        responsePhase = .finished
        onChunk = nil
        onBodyEnd = nil
        onWritable = nil
        takeOver = nil
        let callback = onClosed
        onClosed = nil
        callback?(error)
        let bridge = bridge
        self.bridge = nil
        bridge?.closed(error)
    }

    /// A handler that works in a task threw.
    func handlerFailed(_ error: any Error) {
        guard let connection else { return }
        connection.turn { connection.failed(self, error) }
    }

    /// A handler that works in a task is done.
    func finishIfStreaming() {
        if responsePhase == .streaming { finish() }
    }

    /// Tells the loop's exception handler of a call that contradicts the order.
    func report(_ text: String) {
        connection?.loop?.callExceptionHandler(
            LoopException(message: "HTTP handler: \(text)", error: TransportError.usage(.state(text))))
    }
}
