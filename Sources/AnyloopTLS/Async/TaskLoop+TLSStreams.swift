import AnyloopAsync
import AnyloopCore

extension TaskLoop {
    /// Connects over TLS and gives the two ends of the stream (asyncio: `open_connection` with `ssl`).
    ///
    /// - Throws: as `createConnection`; `TransportError.usage` for a limit of zero or less.
    public nonisolated(nonsending) func openConnection(
        host: String? = nil, port: UInt16? = nil, socket: Int32? = nil, limit: Int = StreamReader.standardLimit,
        options: ConnectOptions = .asyncio, tls context: TLSClientContext, serverName: String? = nil,
        tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) async throws(TransportError) -> (reader: StreamReader, writer: StreamWriter) {
        let reader = try StreamReader(loop: self, limit: limit)
        let made = StreamReaderProtocol(loop: self, reader: reader)
        let (transport, _) = try await createConnection(
            { made }, host: host, port: port, socket: socket, options: options, tls: context, serverName: serverName,
            tlsOptions: tlsOptions)
        return (reader, made.makeWriter(transport, reader))
    }

    /// Connects to a Unix socket over TLS and gives the two ends of the stream (asyncio: `open_unix_connection`).
    ///
    /// - Throws: as `createUnixConnection`; `TransportError.usage` for a limit of zero or less.
    public nonisolated(nonsending) func openUnixConnection(
        path: String? = nil, socket: Int32? = nil, limit: Int = StreamReader.standardLimit,
        tls context: TLSClientContext, serverName: String?,
        tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) async throws(TransportError) -> (reader: StreamReader, writer: StreamWriter) {
        let reader = try StreamReader(loop: self, limit: limit)
        let made = StreamReaderProtocol(loop: self, reader: reader)
        let (transport, _) = try await createUnixConnection(
            { made }, path: path, socket: socket, tls: context, serverName: serverName, tlsOptions: tlsOptions)
        return (reader, made.makeWriter(transport, reader))
    }

    /// Serves streams over TLS, each in a task that runs `handler` (asyncio: `start_server` with `ssl`).
    ///
    /// - Throws: as `createServer`; `TransportError.usage` for a limit of zero or less.
    public nonisolated(nonsending) func startServer(
        host: String?, port: UInt16, limit: Int = StreamReader.standardLimit,
        options: ServerOptions = ServerOptions(), tls source: TLSServerContextSource,
        tlsOptions: TLSConnectionOptions = TLSConnectionOptions(), _ handler: @escaping StreamHandler
    ) async throws(TransportError) -> AsyncServer {
        try await createServer(
            try streamFactory(limit, handler), host: host, port: port, options: options, tls: source,
            tlsOptions: tlsOptions)
    }

    /// Serves streams over TLS on a Unix socket (asyncio: `start_unix_server` with `ssl`).
    ///
    /// - Throws: as `createUnixServer`; `TransportError.usage` for a limit of zero or less.
    public nonisolated(nonsending) func startUnixServer(
        path: String, limit: Int = StreamReader.standardLimit, options: ServerOptions = ServerOptions(),
        tls source: TLSServerContextSource, tlsOptions: TLSConnectionOptions = TLSConnectionOptions(),
        _ handler: @escaping StreamHandler
    ) async throws(TransportError) -> AsyncServer {
        try await createUnixServer(
            try streamFactory(limit, handler), path: path, options: options, tls: source, tlsOptions: tlsOptions)
    }
}

extension StreamWriter {
    /// Upgrades the connection to TLS, as the client (asyncio: `start_tls`); the reader goes on over it.
    ///
    /// What was written before goes out in the clear first.
    ///
    /// - Throws: as `TaskLoop.startTLS`; what `drain` throws; `TransportError.tls` (`.surplusPlaintext`) if the
    ///   reader holds bytes that came behind the agreement to upgrade.
    public nonisolated(nonsending) func startTLS(
        _ context: TLSClientContext, serverName: String?, tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) async throws {
        try await upgrade { transport, streamProtocol, unread in
            try await loop.startTLS(
                transport, streamProtocol, tls: context, serverName: serverName, unreadCount: unread,
                tlsOptions: tlsOptions)
        }
    }

    /// Upgrades the connection to TLS, as the server (asyncio: `start_tls`).
    ///
    /// - Throws: as the client's.
    public nonisolated(nonsending) func startTLS(
        _ context: TLSServerContext, tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) async throws {
        try await upgrade { transport, streamProtocol, unread in
            try await loop.startTLS(
                transport, streamProtocol, tls: context, unreadCount: unread, tlsOptions: tlsOptions)
        }
    }

    private nonisolated(nonsending) func upgrade(
        _ shakeHands:
            nonisolated(nonsending) (
                any StreamTransport, any StreamProtocol, Int
            ) async throws -> any StreamTransport
    ) async throws {
        guard let streamProtocol = transport.streamProtocol else {
            throw TransportError.usage("the connection is over: it cannot be upgraded to TLS")
        }
        try await drain()
        replaceTransport(try await shakeHands(transport, streamProtocol, bufferedCount))
    }
}
