import AnyloopCore

extension Loop {
    /// Connects, shakes hands, and makes a protocol for the connection (asyncio: `create_connection` with `ssl`).
    ///
    /// `completion` runs once on the loop, after `connectionMade`, or with what failed: `TransportError.tls` for
    /// certificates and handshakes. Cancelling the handle ends the attempt.
    ///
    /// - Parameters:
    ///   - tls: trust and settings.
    ///   - serverName: the name that the certificate has to be made for; nil: the endpoint's host (rule 122).
    ///   - tlsOptions: time-outs, and how the connection ends.
    @discardableResult
    public func createConnection(
        to endpoint: Endpoint, options: ConnectOptions = ConnectOptions(), tls context: TLSClientContext,
        serverName: String? = nil, tlsOptions: TLSConnectionOptions = TLSConnectionOptions(),
        protocolFactory: @escaping () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) -> any Cancellable {
        let attempt = TLSAttempt(completion)
        let role: TLSConnection.Role
        do throws(TransportError) {
            role = try .client(
                context, name: serverName ?? endpoint.tlsName, sessionKey: endpoint.description)
        } catch {
            callSoon { attempt.finish(.failure(error)) }
            return attempt
        }
        attempt.connecting = createConnection(to: endpoint, options: options) {
            TLSConnection(
                loop: self, role: role, options: tlsOptions, protocol: try protocolFactory(),
                onHandshake: { attempt.finish($0) })
        } completion: { result in
            switch result {
            case .success(let transport): attempt.connected(transport)
            case .failure(let error): attempt.finish(.failure(error))
            }
        }
        return attempt
    }

    /// Listens for TLS connections (asyncio: `create_server` with `ssl`).
    ///
    /// - Parameters:
    ///   - tls: certificate and settings; every new connection takes the source's current context.
    ///   - tlsOptions: time-outs, how connections end, what plain text is answered with.
    ///   - handshakeFailed: told of each connection that did not get as far as the protocol, with its transport.
    ///   - protocolFactory: runs once for each accepted connection, before its handshake (rule 120).
    public func createServer(
        on addresses: [SocketAddress], options: ServerOptions = ServerOptions(), tls source: TLSServerContextSource,
        tlsOptions: TLSConnectionOptions = TLSConnectionOptions(),
        handshakeFailed: ((_ transport: (any StreamTransport)?, _ error: TransportError) -> Void)? = nil,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        TLSServer(
            try createServer(on: addresses, options: options) {
                TLSConnection(
                    loop: self, role: .server(source.current), options: tlsOptions, protocol: try protocolFactory(),
                    handshakeFailed: handshakeFailed)
            })
    }

    /// Listens for TLS connections with one context for all of them.
    public func createServer(
        on addresses: [SocketAddress], options: ServerOptions = ServerOptions(), tls context: TLSServerContext,
        tlsOptions: TLSConnectionOptions = TLSConnectionOptions(),
        handshakeFailed: ((_ transport: (any StreamTransport)?, _ error: TransportError) -> Void)? = nil,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        try createServer(
            on: addresses, options: options, tls: TLSServerContextSource(context), tlsOptions: tlsOptions,
            handshakeFailed: handshakeFailed, protocolFactory: protocolFactory)
    }
}

extension TLSConnection {
    /// A server's connection whose failure is told with the transport below.
    convenience init(
        loop: any Loop, role: Role, options: TLSConnectionOptions, protocol streamProtocol: any StreamProtocol,
        handshakeFailed: ((_ transport: (any StreamTransport)?, _ error: TransportError) -> Void)?
    ) {
        self.init(loop: loop, role: role, options: options, protocol: streamProtocol)
        guard let handshakeFailed else { return }
        onHandshake = { [weak self] result in
            if case .failure(let error) = result { handshakeFailed(self?.lower, error) }
        }
    }
}

extension Endpoint {
    /// What a certificate for this endpoint is made for; nil for a Unix socket.
    var tlsName: String? {
        switch self {
        case .address(.unix): nil
        case .address(let address): address.host
        case .host(let host, _): host
        }
    }
}

/// A connection on its way: the transport first, then the handshake.
final class TLSAttempt: Cancellable {
    var connecting: (any Cancellable)?
    private var transport: (any StreamTransport)?
    private var completion: ((Result<any StreamTransport, TransportError>) -> Void)?

    init(_ completion: @escaping (Result<any StreamTransport, TransportError>) -> Void) {
        self.completion = completion
    }

    /// The transport below stands; kept so that it can be aborted.
    func connected(_ transport: any StreamTransport) {
        connecting = nil
        if completion == nil { transport.abort() } else { self.transport = transport }
    }

    func finish(_ result: Result<any StreamTransport, TransportError>) {
        guard let completion else {
            if case .success(let transport) = result { transport.abort() }
            return
        }
        self.completion = nil
        transport = nil
        completion(result)
    }

    func cancel() {
        guard completion != nil else { return }
        if let connecting, transport == nil {
            // Completes with `.cancelled` by itself.
            return connecting.cancel()
        }
        transport?.abort()
        let loop = transport?.loop
        guard let loop else { return finish(.failure(.cancelled)) }
        loop.callSoon { [self] in finish(.failure(.cancelled)) }
    }
}
