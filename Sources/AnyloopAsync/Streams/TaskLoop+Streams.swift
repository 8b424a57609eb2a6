import AnyloopCore

extension TaskLoop {
    /// Connects a stream and gives the two ends of it (asyncio: `open_connection`).
    ///
    /// Either `host` and `port`, or `socket`, as in `createConnection`; `limit` is the reader's.
    ///
    /// - Throws: as `createConnection`; `TransportError.usage` for a limit of zero or less.
    public nonisolated(nonsending) func openConnection(
        host: String? = nil, port: UInt16? = nil, socket: Int32? = nil, limit: Int = StreamReader.standardLimit,
        options: ConnectOptions = .asyncio
    ) async throws(TransportError) -> (reader: StreamReader, writer: StreamWriter) {
        let reader = try StreamReader(loop: self, limit: limit)
        let made = StreamReaderProtocol(loop: self, reader: reader)
        let (transport, _) = try await createConnection(
            { made }, host: host, port: port, socket: socket, options: options)
        return (reader, made.makeWriter(transport, reader))
    }

    /// Connects to a Unix socket and gives the two ends of it (asyncio: `open_unix_connection`).
    ///
    /// - Throws: as `createUnixConnection`; `TransportError.usage` for a limit of zero or less.
    public nonisolated(nonsending) func openUnixConnection(
        path: String? = nil, socket: Int32? = nil, limit: Int = StreamReader.standardLimit
    ) async throws(TransportError) -> (reader: StreamReader, writer: StreamWriter) {
        let reader = try StreamReader(loop: self, limit: limit)
        let made = StreamReaderProtocol(loop: self, reader: reader)
        let (transport, _) = try await createUnixConnection({ made }, path: path, socket: socket)
        return (reader, made.makeWriter(transport, reader))
    }

    /// Serves streams, each in a task that runs `handler` (asyncio: `start_server`).
    ///
    /// The handler closes its writer; its end alone closes nothing. If it throws, the exception handler hears
    /// "Unhandled exception in client_connected_cb" and the connection is closed.
    ///
    /// - Throws: as `createServer`; `TransportError.usage` for a limit of zero or less.
    public nonisolated(nonsending) func startServer(
        host: String?, port: UInt16, limit: Int = StreamReader.standardLimit,
        options: ServerOptions = ServerOptions(), _ handler: @escaping StreamHandler
    ) async throws(TransportError) -> AsyncServer {
        try await createServer(try streamFactory(limit, handler), host: host, port: port, options: options)
    }

    /// Serves streams on a Unix socket, each in a task that runs `handler` (asyncio: `start_unix_server`).
    ///
    /// - Throws: as `createUnixServer`; `TransportError.usage` for a limit of zero or less.
    public nonisolated(nonsending) func startUnixServer(
        path: String, limit: Int = StreamReader.standardLimit, options: ServerOptions = ServerOptions(),
        _ handler: @escaping StreamHandler
    ) async throws(TransportError) -> AsyncServer {
        try await createUnixServer(try streamFactory(limit, handler), path: path, options: options)
    }

    /// A factory of protocols that run `handler` in a task.
    package func streamFactory(
        _ limit: Int, _ handler: @escaping StreamHandler
    ) throws(TransportError) -> () throws -> any StreamProtocol {
        // A wrong limit is told here, once, and not for each connection.
        _ = try StreamReader(loop: self, limit: limit)
        return { [unowned self] in
            StreamReaderProtocol(loop: self, reader: try StreamReader(loop: self, limit: limit), handler: handler)
        }
    }
}
