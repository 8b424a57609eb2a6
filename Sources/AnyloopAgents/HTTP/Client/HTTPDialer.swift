import AnyloopCore
import AnyloopTLS
import HTTPTypes

/// Makes one connection to a server stand, whatever its route: the socket, a tunnel through a proxy, TLS around
/// either or both.
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
        if let target = route.tunnel {
            connect(serverName: route.proxyName, options.proxyOptions.tls, tunnelProtocol(to: target))
        } else if route.proxyName != nil {
            connect(serverName: route.proxyName, options.proxyOptions.tls, entrance)
        } else {
            connect(serverName: route.serverName, nil, route.serverName == nil ? connection : entrance)
        }
    }

    private var entrance: HTTPEntrance {
        HTTPEntrance(to: connection) { [self] in fail($0) }
    }

    /// Connects to the endpoint, with TLS if there is a name.
    private func connect(
        serverName: String?, _ own: TLSClientContext?, _ streamProtocol: any StreamProtocol
    ) {
        guard let serverName else {
            loop.createConnection(to: route.endpoint, options: options.connect) {
                streamProtocol
            } completion: {
                [self] in
                finished($0)
            }
            return
        }
        do throws(TLSError) {
            loop.createConnection(
                to: route.endpoint, options: options.connect, tls: try context(own),
                serverName: serverName, tlsOptions: options.tlsOptions
            ) {
                streamProtocol
            } completion: {
                [self] in
                finished($0)
            }
        } catch {
            loop.callSoon { [self] in fail(.connect(.tls(error))) }
        }
    }

    private func finished(_ result: Result<any StreamTransport, TransportError>) {
        if case .failure(let error) = result { fail(.connect(error)) }
    }

    private func fail(_ error: HTTPClientError) {
        timer?.cancel()
        timer = nil
        let callback = onFailure
        onFailure = nil
        callback?(error)
    }

    // MARK: TLS

    /// What all clients use that are not told otherwise; made when first needed.
    private static let standardContext: Result<TLSClientContext, TLSError> = Result { () throws(TLSError) in
        var options = TLSClientOptions()
        options.settings.applicationProtocols = ["http/1.1"]
        return try TLSClientContext(options)
    }

    private func context(_ own: TLSClientContext? = nil) throws(TLSError) -> TLSClientContext {
        if let context = own ?? options.tls { return context }
        return try Self.standardContext.get()
    }

    /// Begins TLS with the server inside of a tunnel to `target`; who has the transport now.
    private func secure(
        _ transport: any StreamTransport, _ target: String, _ serverName: String
    ) throws -> any StreamProtocol {
        let tls = try TLSProtocol.client(
            on: loop, try context(), serverName: serverName, sessionKey: target, options: options.tlsOptions,
            around: entrance
        ) { [self] in
            finished($0)
        }
        try tls.connectionMade(transport)
        return tls
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
            try opened(target, response, transport, remaining)
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

    /// The proxy agreed; who has the transport now.
    private func opened(
        _ target: String, _ response: HTTPResponse, _ transport: any StreamTransport, _ remaining: [UInt8]
    ) throws -> any StreamProtocol {
        timer?.cancel()
        timer = nil
        guard response.status.kind == .successful else {
            // 101 is an answer to an offer that CONNECT does not make.
            throw HTTPClientError.tunnel(
                to: target, .refused(status: response.status.code, reason: response.status.reasonPhrase))
        }
        guard remaining.isEmpty else {
            throw HTTPClientError.tunnel(to: target, .surplusBytes(count: remaining.count))
        }
        if let serverName = route.serverName { return try secure(transport, target, serverName) }
        onFailure = nil
        connection.connectionMade(transport)
        return connection
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
