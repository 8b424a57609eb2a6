import AnyloopCore
import HTTPTypes

/// A request to an `HTTPClient`: one or, after redirects, several exchanges. Confined to the loop's thread.
///
/// Set the callbacks, then give it to `HTTPClient.start`. Exactly one of `onEnd`, `onSwitch` and `onError` comes, last.
public final class HTTPClientTask: Cancellable {
    /// An interim response (1xx).
    public var onInformational: ((HTTPResponse) throws -> Void)?
    /// The final response's head; redirects that are followed are not shown.
    public var onResponse: ((HTTPResponse) throws -> Void)?
    /// A piece of the body, its content coding undone; lent for the length of the call.
    public var onBody: ((Span<UInt8>) throws -> Void)?
    /// The response is complete; with trailers if it had any.
    public var onEnd: ((HTTPFields?) throws -> Void)?
    /// There will be no complete response.
    public var onError: ((HTTPClientError) -> Void)?
    /// The body of a `.stream` may be written.
    public var onBodyWanted: (() throws -> Void)?
    /// The write buffer has drained after `isWritable` was false.
    public var onWritable: (() throws -> Void)?
    /// The server agreed to another protocol or a tunnel; without it that is an error.
    public var onSwitch: HTTPClientExchange.Successor?

    /// The request in work: after redirects not the one that was made.
    public private(set) var currentRequest: HTTPRequest
    /// Redirects followed so far.
    public private(set) var redirectCount = 0
    /// Whether the request in work went out on a connection that was used before.
    public private(set) var isOnReusedConnection = false

    /// What the TLS handshake of the connection in use agreed on; nil without TLS, and while none is in use.
    public var tls: TLSInfo? { exchange?.connection?.transport?.tls }

    private var body: HTTPClientBody
    private let via: Endpoint?
    private var client: HTTPClient?
    private var exchange: HTTPClientExchange?
    private var ticket: HTTPConnectionPool.Ticket?
    private var totalTimer: TimerHandle?
    private var url: HTTPURL?
    private var nextHop: (HTTPRequest, HTTPURL)?
    private var drained = 0
    private var hasRetried = false
    private var asksForCoding = false
    private var decoder: HTTPContentDecoder?

    /// A task for `request`, which needs `scheme` (`http` or `https`) and `authority`.
    ///
    /// `via` connects to another endpoint than the authority names, for example a Unix socket, or a test's port.
    public init(_ request: HTTPRequest, body: HTTPClientBody = .none, via: Endpoint? = nil) {
        currentRequest = request
        self.body = body
        self.via = via
    }

    /// Whether pieces of the body may be written and the write buffer is below its high watermark.
    public var isWritable: Bool { exchange?.isWritable ?? false }

    /// Whether the server answered before it had the whole body, so that the rest is not sent.
    public var isRequestStopped: Bool { exchange?.isRequestStopped ?? false }

    /// Sends a piece of a `.stream` body; errors as for `HTTPClientExchange.write`.
    public func write(_ bytes: [UInt8]) throws(HTTPClientError) {
        try exchange?.write(bytes)
    }

    /// Ends a `.stream` body.
    public func finish(trailers: HTTPFields? = nil) throws(HTTPClientError) {
        try exchange?.finish(trailers: trailers)
    }

    /// Holds up the response's body. What is decoded already of the piece in work still comes.
    public func pauseBody() {
        exchange?.pauseBody()
    }

    /// Undoes `pauseBody`.
    public func resumeBody() {
        exchange?.resumeBody()
    }

    /// Gives up; `onError` gets `.cancelled`. Without effect once the task is over.
    public func cancel() {
        fail(.cancelled)
    }

    // MARK: Hops

    func begin(_ client: HTTPClient) {
        guard self.client == nil else { return }
        self.client = client
        if let limit = client.options.totalTimeout {
            totalTimer = client.loop.callLater(limit) { [unowned self] in
                fail(.timedOut(what: "the request", after: limit))
            }
        }
        // Not inside of `start`: whoever calls it may still set callbacks.
        client.loop.callSoon { [self] in prepare() }
    }

    private func prepare() {
        guard let client else { return }
        let scheme = currentRequest.scheme ?? "http"
        guard scheme == "http" || scheme == "https" else {
            return fail(.badRequest("the scheme '\(scheme)' is not spoken here; use http or https"))
        }
        let target = currentRequest.method == .connect ? "/" : currentRequest.path ?? "/"
        guard let url = HTTPURL("\(scheme)://\(currentRequest.authority ?? "")\(target == "*" ? "/" : target)") else {
            return fail(
                .badRequest("it needs an authority, host or host:port, not '\(currentRequest.authority ?? "")'"))
        }
        self.url = url
        asksForCoding =
            client.options.decodesContent && !currentRequest.headerFields.contains(.acceptEncoding)
            && !currentRequest.headerFields.contains(.range)
        if asksForCoding { currentRequest.headerFields[.acceptEncoding] = "gzip, deflate" }
        acquire(needsFresh: false)
    }

    private func acquire(needsFresh: Bool) {
        guard let client, let url else { return }
        let route = HTTPRoute(to: url, method: currentRequest.method, via: via, options: client.options)
        ticket = client.pool.acquire(route, needsFresh: needsFresh) { [self] result in
            ticket = nil
            switch result {
            case .success(let (connection, isReused)): send(on: connection, isReused: isReused)
            case .failure(let error): fail(error)
            }
        }
        if ticket == nil, exchange == nil, self.client != nil {
            fail(.tooManyWaiting(limit: client.options.waitingLimit))
        }
    }

    private func send(on connection: HTTPClientProtocol, isReused: Bool) {
        guard client != nil else {
            // Cancelled meanwhile: the connection is free for others.
            connection.onReady?()
            return
        }
        isOnReusedConnection = isReused
        let exchange = HTTPClientExchange(currentRequest, body: body)
        self.exchange = exchange
        exchange.onInformational = { [unowned self] in try onInformational?($0) }
        exchange.onResponse = { [unowned self] in try received($0) }
        exchange.onBody = { [unowned self] in try received($0) }
        exchange.onEnd = { [self] in try ended($0) }
        exchange.onError = { [self] in broke(exchange, $0) }
        exchange.onBodyWanted = { [unowned self] in try onBodyWanted?() }
        exchange.onWritable = { [unowned self] in try onWritable?() }
        if onSwitch != nil {
            exchange.onSwitch = { [self] response, transport, remaining in
                defer { release() }
                guard let onSwitch else { throw HTTPClientError.unexpectedSwitch }
                return try onSwitch(response, transport, remaining)
            }
        }
        do {
            try connection.start(exchange)
        } catch {
            connection.onReady?()
            exchange.release()
            fail(error)
        }
    }

    // MARK: Responses

    private func received(_ response: HTTPResponse) throws {
        if let hop = try redirect(response) {
            nextHop = hop
            drained = 0
            return
        }
        var response = response
        if asksForCoding, currentRequest.method != .head, let client,
            let coding = response.headerFields[.contentEncoding],
            let decoder = HTTPContentDecoder(coding: coding, limit: client.options.decodedBodyLimit)
        {
            self.decoder = decoder
            response.headerFields[.contentEncoding] = nil
            response.headerFields[.contentLength] = nil
        }
        try onResponse?(response)
    }

    private func received(_ bytes: Span<UInt8>) throws {
        if let hop = nextHop {
            drained += bytes.count
            if let client, drained > client.options.redirectBodyLimit {
                // Not worth keeping the connection for.
                nextHop = nil
                let old = exchange
                exchange = nil
                old?.onError = nil
                old?.cancel()
                follow(hop)
            }
        } else if let decoder {
            try decoder.decode(bytes) { try onBody?($0) }
        } else {
            try onBody?(bytes)
        }
    }

    private func ended(_ trailers: HTTPFields?) throws {
        exchange = nil
        if let hop = nextHop {
            nextHop = nil
            return follow(hop)
        }
        do {
            try decoder?.finish()
        } catch {
            return fail(error)
        }
        let callback = onEnd
        let failure = onError
        release()
        do {
            try callback?(trailers)
        } catch {
            failure?(error as? HTTPClientError ?? .callbackFailed(error))
        }
    }

    private func broke(_ broken: HTTPClientExchange, _ error: HTTPClientError) {
        exchange = nil
        if case .connectionLost = error, isOnReusedConnection, !broken.hasHeard, !hasRetried, body.isReplayable,
            HTTPRedirect.isIdempotent(currentRequest.method)
        {
            hasRetried = true
            return acquire(needsFresh: true)
        }
        if let hop = nextHop, case .connectionLost = error {
            nextHop = nil
            return follow(hop)
        }
        fail(error)
    }

    // MARK: Redirects

    private func redirect(_ response: HTTPResponse) throws -> (HTTPRequest, HTTPURL)? {
        guard let client, let url, client.options.redirectLimit > 0,
            let location = HTTPRedirect.location(of: response),
            currentRequest.method != .connect
        else { return nil }
        guard let next = HTTPRedirect.request(after: response.status.code, to: location, from: currentRequest, url)
        else { throw HTTPClientError.badRedirect(location) }
        if url.scheme == "https", next.url.scheme == "http", !client.options.followsRedirectsToPlainHTTP {
            throw HTTPClientError.insecureRedirect(location)
        }
        // A body that is written piece by piece is gone: the application sees the redirect and decides.
        if next.keepsBody, !body.isReplayable { return nil }
        guard redirectCount < client.options.redirectLimit else {
            throw HTTPClientError.tooManyRedirects(limit: client.options.redirectLimit)
        }
        if !next.keepsBody { body = .none }
        return (next.request, next.url)
    }

    private func follow(_ hop: (request: HTTPRequest, url: HTTPURL)) {
        redirectCount += 1
        currentRequest = hop.request
        url = hop.url
        hasRetried = false
        isOnReusedConnection = false
        if asksForCoding { currentRequest.headerFields[.acceptEncoding] = "gzip, deflate" }
        acquire(needsFresh: false)
    }

    // MARK: The end

    private func fail(_ error: HTTPClientError) {
        guard client != nil else { return }
        let callback = onError
        let current = exchange
        exchange = nil
        release()
        current?.onError = nil
        current?.cancel()
        callback?(error)
    }

    private func release() {
        client = nil
        ticket?.cancel()
        ticket = nil
        totalTimer?.cancel()
        totalTimer = nil
        decoder = nil
        nextHop = nil
        onInformational = nil
        onResponse = nil
        onBody = nil
        onEnd = nil
        onError = nil
        onBodyWanted = nil
        onWritable = nil
        onSwitch = nil
    }
}
