import AnyloopAsync
import AnyloopCore

extension TaskLoop {
    /// Listens for TLS connections (asyncio: `create_server` with `ssl`, rules 51 to 55, 119, 120).
    ///
    /// Addresses, or a bound socket, as without TLS. A handshake that fails is told to the exception handler in debug
    /// mode only, as in asyncio.
    ///
    /// - Parameters:
    ///   - protocolFactory: runs once for each accepted connection, before its handshake.
    ///   - tls: certificate and settings; every new connection takes the source's current context.
    ///   - tlsOptions: time-outs, and how connections end.
    /// - Throws: as without TLS.
    public nonisolated(nonsending) func createServer(
        _ protocolFactory: @escaping () throws -> any StreamProtocol, host: String? = nil, port: UInt16? = nil,
        socket: Int32? = nil, options: ServerOptions = ServerOptions(), tls source: TLSServerContextSource,
        tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) async throws(TransportError) -> AsyncServer {
        overTLS(
            try await createServer(
                overTLS(source, tlsOptions, nil, protocolFactory), host: host, port: port, socket: socket,
                options: options))
    }

    /// Listens for TLS connections on every address of every one of `hosts`.
    public nonisolated(nonsending) func createServer(
        _ protocolFactory: @escaping () throws -> any StreamProtocol, hosts: [String], port: UInt16,
        options: ServerOptions = ServerOptions(), tls source: TLSServerContextSource,
        tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) async throws(TransportError) -> AsyncServer {
        overTLS(
            try await createServer(
                overTLS(source, tlsOptions, nil, protocolFactory), hosts: hosts, port: port, options: options))
    }

    /// Listens for TLS connections on a Unix socket (asyncio: `create_unix_server` with `ssl`).
    ///
    /// - Throws: as without TLS.
    public nonisolated(nonsending) func createUnixServer(
        _ protocolFactory: @escaping () throws -> any StreamProtocol, path: String? = nil, socket: Int32? = nil,
        options: ServerOptions = ServerOptions(), tls source: TLSServerContextSource,
        tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) async throws(TransportError) -> AsyncServer {
        overTLS(
            try await createUnixServer(
                overTLS(source, tlsOptions, nil, protocolFactory), path: path, socket: socket, options: options))
    }

    /// The server with the TLS transports for its clients, so that closing them says `close_notify`.
    private func overTLS(_ server: AsyncServer) -> AsyncServer { AsyncServer(loop: self, TLSServer(server)) }
}
