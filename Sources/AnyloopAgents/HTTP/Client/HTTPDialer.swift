import AnyloopCore
import HTTPTypes

/// Makes one connection to a server stand, whatever its route: the socket, and a tunnel through a proxy.
///
/// `connection` gets `connectionMade` once all of that stands; otherwise `onFailure` runs, once.
final class HTTPDialer {
    private let loop: any Loop
    private let options: HTTPClientOptions
    private let route: HTTPRoute
    private let connection: HTTPClientProtocol
    private var onFailure: ((HTTPClientError) -> Void)?
    private var timer: TimerHandle?

    init(
        loop: any Loop, options: HTTPClientOptions, route: HTTPRoute, connection: HTTPClientProtocol,
        onFailure: @escaping (HTTPClientError) -> Void
    ) {
        self.loop = loop
        self.options = options
        self.route = route
        self.connection = connection
        self.onFailure = onFailure
    }

    /// Begins; what is under way holds the dialer until it has succeeded or failed.
    func start() {
        if route.serverName != nil {
            let text = "the scheme 'https' is not spoken here; use http"
            loop.callSoon { [self] in fail(.badRequest(text)) }
        } else if let target = route.tunnel {
            connect(tunnelProtocol(to: target))
        } else {
            connect(connection)
        }
    }

    private func connect(_ streamProtocol: any StreamProtocol) {
        loop.createConnection(to: route.endpoint, options: options.connect) {
            streamProtocol
        } completion: { [self] result in
            if case .failure(let error) = result { fail(.connect(error)) }
        }
    }

    private func fail(_ error: HTTPClientError) {
        timer?.cancel()
        timer = nil
        let callback = onFailure
        onFailure = nil
        callback?(error)
    }

    // MARK: Tunnels

    /// What asks the proxy for a tunnel to `target` and then gives the transport to the connection.
    private func tunnelProtocol(to target: String) -> HTTPClientProtocol {
        var settings = options.connection
        settings.isProxied = false
        settings.headerTimeout = nil  // the timer below is for the whole answer
        let proxy = HTTPClientProtocol(options: settings)
        var request = HTTPRequest(method: .connect, scheme: nil, authority: target, path: nil)
        if let login = options.proxyOptions.login { request.headerFields[.proxyAuthorization] = login.fieldValue }
        let exchange = HTTPClientExchange(request)
        exchange.onResponse = { response in
            throw HTTPClientError.tunnel(
                to: target, .refused(status: response.status.code, reason: response.status.reasonPhrase))
        }
        exchange.onSwitch = { [self] response, transport, remaining in
            guard response.status.kind == .successful else {
                // 101 is an answer to an offer that CONNECT does not make.
                throw HTTPClientError.tunnel(
                    to: target, .refused(status: response.status.code, reason: response.status.reasonPhrase))
            }
            timer?.cancel()
            timer = nil
            guard remaining.isEmpty else {
                throw HTTPClientError.tunnel(to: target, .surplusBytes(count: remaining.count))
            }
            onFailure = nil
            connection.connectionMade(transport)
            return connection
        }
        exchange.onError = { [self] in fail(Self.tunnelError($0, target)) }
        proxy.onReady = { [self, unowned proxy] in
            let limit = options.proxyOptions.tunnelTimeout
            timer = loop.callLater(limit) { [weak proxy] in
                proxy?.fail(.tunnel(to: target, .timedOut(after: limit)))
            }
            proxy.onReady = nil
            do throws(HTTPClientError) { try proxy.start(exchange) } catch {
                proxy.close()
                fail(error)
            }
        }
        return proxy
    }

    /// What became of the request for a tunnel, told as the tunnel's error.
    private static func tunnelError(_ error: HTTPClientError, _ target: String) -> HTTPClientError {
        switch error {
        case .connectionLost(let cause): .tunnel(to: target, .connectionLost(cause))
        case .malformedResponse(let fault): .tunnel(to: target, .malformedAnswer(fault))
        default: error
        }
    }
}
