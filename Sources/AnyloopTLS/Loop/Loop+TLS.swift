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
            let made = try protocolFactory()
            try tlsOptions.check()
            return TLSConnection(
                loop: self, role: role, options: tlsOptions, protocol: made, onHandshake: { attempt.finish($0) })
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
    ///   - handshakeFailed: told of each connection that did not get as far as the protocol, with its transport;
    ///     without it the exception handler is told in debug mode (rule 120).
    ///   - protocolFactory: runs once for each accepted connection, before its handshake (rule 120).
    public func createServer(
        on addresses: [SocketAddress], options: ServerOptions = ServerOptions(), tls source: TLSServerContextSource,
        tlsOptions: TLSConnectionOptions = TLSConnectionOptions(),
        handshakeFailed: ((_ transport: (any StreamTransport)?, _ error: TransportError) -> Void)? = nil,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        TLSServer(
            try createServer(
                on: addresses, options: options,
                protocolFactory: overTLS(source, tlsOptions, handshakeFailed, protocolFactory)))
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

extension Loop {
    /// Takes over a connected stream socket and shakes hands as the client (asyncio: `create_connection` with `sock`
    /// and `ssl`).
    ///
    /// `completion` runs once on the loop, later than this call: after `connectionMade`, or with what failed.
    /// Cancelling the handle ends the connection.
    ///
    /// - Throws: `TransportError.usage` without a name that has to be checked, for a time-out that is not positive,
    ///   or for a descriptor that is no stream socket, which stays the caller's then; what `protocolFactory` throws.
    @discardableResult
    public func adoptConnection(
        descriptor: Int32, tls context: TLSClientContext, serverName: String?,
        tlsOptions: TLSConnectionOptions = TLSConnectionOptions(),
        protocolFactory: () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) throws(TransportError) -> any Cancellable {
        try adopt(
            descriptor, try .client(context, name: serverName, sessionKey: nil), tlsOptions, protocolFactory,
            completion)
    }

    /// Takes over an accepted stream socket and shakes hands as the server (asyncio: `connect_accepted_socket` with
    /// `ssl`).
    ///
    /// - Throws: as the client's.
    @discardableResult
    public func adoptConnection(
        descriptor: Int32, tls context: TLSServerContext, tlsOptions: TLSConnectionOptions = TLSConnectionOptions(),
        protocolFactory: () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) throws(TransportError) -> any Cancellable {
        try adopt(descriptor, .server(context), tlsOptions, protocolFactory, completion)
    }

    private func adopt(
        _ descriptor: Int32, _ role: TLSConnection.Role, _ options: TLSConnectionOptions,
        _ protocolFactory: () throws -> any StreamProtocol,
        _ completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) throws(TransportError) -> any Cancellable {
        let attempt = TLSAttempt(completion)
        let transport = try adoptConnection(descriptor: descriptor) {
            let made = try protocolFactory()
            try options.check()
            // A handshake may fail at once, but nobody is told inside this call.
            return TLSConnection(
                loop: self, role: role, options: options, protocol: made,
                onHandshake: { result in self.callSoon { attempt.finish(result) } })
        }
        attempt.connected(transport)
        return attempt
    }

    /// A server's factory: makes the application's protocol, and the one that speaks TLS below it.
    func overTLS(
        _ source: TLSServerContextSource, _ options: TLSConnectionOptions,
        _ handshakeFailed: ((_ transport: (any StreamTransport)?, _ error: TransportError) -> Void)?,
        _ protocolFactory: @escaping () throws -> any StreamProtocol
    ) -> () throws -> any StreamProtocol {
        { [unowned self] in
            let made = try protocolFactory()
            try options.check()
            let connection = TLSConnection(
                loop: self, role: .server(source.current), options: options, protocol: made)
            connection.onHandshake = { [unowned self, unowned connection] result in
                guard case .failure(let error) = result else { return }
                if let handshakeFailed { return handshakeFailed(connection.lower, error) }
                guard (self as? any DebugLoop)?.isDebug == true else { return }
                callExceptionHandler(
                    LoopException(
                        message: "Error on transport creation for incoming connection", error: error,
                        transport: connection, protocolObject: made))
            }
            return connection
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
    private var isCancelled = false

    init(_ completion: @escaping (Result<any StreamTransport, TransportError>) -> Void) {
        self.completion = completion
    }

    /// The transport below stands; kept so that it can be aborted.
    func connected(_ transport: any StreamTransport) {
        connecting = nil
        if completion == nil || isCancelled { transport.abort() }
        self.transport = completion == nil ? nil : transport
    }

    func finish(_ result: Result<any StreamTransport, TransportError>) {
        guard let completion else {
            if case .success(let transport) = result { transport.abort() }
            return
        }
        self.completion = nil
        transport = nil
        guard isCancelled else { return completion(result) }
        // What the abort led to is no news.
        if case .success(let transport) = result { transport.abort() }
        completion(.failure(.cancelled))
    }

    func cancel() {
        guard completion != nil, !isCancelled else { return }
        isCancelled = true
        // Either way the completion comes later, by the connection's end.
        if let transport { transport.abort() } else { connecting?.cancel() }
    }
}
