import AnyloopAsync
import AnyloopCore

extension TaskLoop {
    /// Connects a stream and shakes hands; returns once `connectionMade` has run (asyncio: `create_connection` with
    /// `ssl`, rules 45, 119 to 122).
    ///
    /// Either `host` and `port`, or `socket`: the descriptor of a connected stream socket, which is taken over.
    ///
    /// - Parameters:
    ///   - tls: trust and settings.
    ///   - serverName: the name that the certificate has to be made for; nil: `host`.
    ///   - tlsOptions: time-outs, and how the connection ends.
    /// - Throws: as without TLS; `TransportError.usage` without a name, or for a time-out that is not positive;
    ///   `.tls` for certificates and handshakes; `.timedOut`. The protocol then hears nothing (rule 120).
    public nonisolated(nonsending) func createConnection<Made: StreamProtocol>(
        _ protocolFactory: @escaping () throws -> Made, host: String? = nil, port: UInt16? = nil,
        socket: Int32? = nil, options: ConnectOptions = .asyncio, tls context: TLSClientContext,
        serverName: String? = nil, tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) async throws(TransportError) -> (transport: any StreamTransport, protocol: Made) {
        guard let name = serverName ?? host else {
            throw .usage(.argument("You must set server_hostname when using ssl without a host"))
        }
        let key = port.map { "\(host ?? "localhost"):\($0)" }
        let role = try TLSConnection.Role.client(context, name: name, sessionKey: key)
        return try await shakeHands(role, tlsOptions, protocolFactory) { factory throws(TransportError) in
            try await createConnection(factory, host: host, port: port, socket: socket, options: options).transport
        }
    }

    /// Connects to a Unix socket and shakes hands (asyncio: `create_unix_connection` with `ssl`).
    ///
    /// - Throws: as `createConnection`.
    public nonisolated(nonsending) func createUnixConnection<Made: StreamProtocol>(
        _ protocolFactory: @escaping () throws -> Made, path: String? = nil, socket: Int32? = nil,
        tls context: TLSClientContext, serverName: String?,
        tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) async throws(TransportError) -> (transport: any StreamTransport, protocol: Made) {
        guard let serverName else { throw .usage(.argument("you have to pass server_hostname when using ssl")) }
        let role = try TLSConnection.Role.client(context, name: serverName, sessionKey: path)
        return try await shakeHands(role, tlsOptions, protocolFactory) { factory throws(TransportError) in
            try await createUnixConnection(factory, path: path, socket: socket).transport
        }
    }

    /// Makes a TLS server's connection of an accepted socket (asyncio: `connect_accepted_socket` with `ssl`).
    ///
    /// - Throws: as `createConnection`.
    public nonisolated(nonsending) func connectAcceptedSocket<Made: StreamProtocol>(
        _ protocolFactory: @escaping () throws -> Made, socket: Int32, tls context: TLSServerContext,
        tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) async throws(TransportError) -> (transport: any StreamTransport, protocol: Made) {
        try await shakeHands(.server(context), tlsOptions, protocolFactory) { factory throws(TransportError) in
            try await connectAcceptedSocket(factory, socket: socket).transport
        }
    }

    /// Upgrades a live connection to TLS, as the client (asyncio: `start_tls`, rule 130).
    ///
    /// What was written before goes out in the clear. The protocol before hears nothing any more, the new one hears
    /// no `connectionMade`. Pause reading before the peer may begin its handshake: what the old protocol has got of
    /// it is lost.
    ///
    /// - Parameters:
    ///   - transport: the connection to upgrade.
    ///   - streamProtocol: who gets the callbacks from now on.
    ///   - tls: trust and settings.
    ///   - serverName: the name that the certificate has to be made for.
    ///   - unreadCount: bytes that came behind the agreement to upgrade and were not handled; above 0 it fails,
    ///     since they may have been injected (RFC 3207 §6).
    ///   - tlsOptions: time-outs, and how the connection ends.
    /// - Returns: the new transport.
    /// - Throws: as `createConnection`; `.cancelled` with the task. The connection has ended then.
    public nonisolated(nonsending) func startTLS(
        _ transport: any StreamTransport, _ streamProtocol: any StreamProtocol, tls context: TLSClientContext,
        serverName: String?, unreadCount: Int = 0, tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) async throws(TransportError) -> any StreamTransport {
        try tlsOptions.check()
        return try await wait(late: { $0.abort() }) {
            startTLS(
                on: transport, protocol: streamProtocol, tls: context, serverName: serverName,
                unreadCount: unreadCount, tlsOptions: tlsOptions, completion: $0)
        }
    }

    /// Upgrades a live connection to TLS, as the server (asyncio: `start_tls` with `server_side`).
    ///
    /// - Throws: as the client's.
    public nonisolated(nonsending) func startTLS(
        _ transport: any StreamTransport, _ streamProtocol: any StreamProtocol, tls context: TLSServerContext,
        unreadCount: Int = 0, tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) async throws(TransportError) -> any StreamTransport {
        try tlsOptions.check()
        return try await wait(late: { $0.abort() }) {
            startTLS(
                on: transport, protocol: streamProtocol, tls: context, unreadCount: unreadCount,
                tlsOptions: tlsOptions, completion: $0)
        }
    }

    /// Connects with TLS between transport and protocol, and waits for the handshake.
    private nonisolated(nonsending) func shakeHands<Made: StreamProtocol>(
        _ role: TLSConnection.Role, _ options: TLSConnectionOptions, _ protocolFactory: @escaping () throws -> Made,
        _ connect:
            nonisolated(nonsending) (
                @escaping () throws -> TLSConnection
            ) async throws(TransportError) -> any StreamTransport
    ) async throws(TransportError) -> (transport: any StreamTransport, protocol: Made) {
        let handshake = TLSHandshake()
        var made: Made?
        let lower = try await connect {
            let new = try protocolFactory()
            try options.check()
            made = new
            return TLSConnection(
                loop: self, role: role, options: options, protocol: new, onHandshake: { handshake.finish($0) })
        }
        let transport: any StreamTransport = try await wait(late: { $0.abort() }) { done in
            handshake.whenDone(done)
            return CancelAction { lower.abort() }
        }
        guard let made else { throw .usage("the protocol factory was not called") }
        return (transport, made)
    }
}

/// How a handshake went, and who waits for it.
private final class TLSHandshake {
    private var result: Result<any StreamTransport, TransportError>?
    private var waiting: ((Result<any StreamTransport, TransportError>) -> Void)?

    func finish(_ result: Result<any StreamTransport, TransportError>) {
        self.result = result
        waiting?(result)
        waiting = nil
    }

    func whenDone(_ tell: @escaping (Result<any StreamTransport, TransportError>) -> Void) {
        if let result { tell(result) } else { waiting = tell }
    }
}
