import AnyloopCore

extension ConnectOptions {
    /// asyncio's defaults: one address after the other, no limit but the system's (rule 46).
    public static var asyncio: ConnectOptions {
        var options = ConnectOptions()
        options.happyEyeballsDelay = nil
        return options
    }
}

extension TaskLoop {
    /// Connects a stream and returns once `connectionMade` has run (asyncio: `create_connection`, rules 45 to 49).
    ///
    /// Either `host` and `port`, or `socket`: the descriptor of a connected stream socket, which is taken over.
    ///
    /// - Throws: `TransportError.usage` for arguments that contradict each other; what kept it from connecting:
    ///   one error if all were alike, else `.several` (rule 47); `.cancelled` with the task.
    public nonisolated(nonsending) func createConnection<Made: StreamProtocol>(
        _ protocolFactory: @escaping () throws -> Made, host: String? = nil, port: UInt16? = nil,
        socket: Int32? = nil, options: ConnectOptions = .asyncio
    ) async throws(TransportError) -> (transport: any StreamTransport, protocol: Made) {
        guard host == nil && port == nil || socket == nil else {
            throw .usage(.argument("host/port and sock can not be specified at the same time"))
        }
        if let socket {
            guard streamSocketName(socket) != nil else {
                throw .usage(.argument("A Stream Socket was expected, got <descriptor \(socket)>"))
            }
            return try await adoptSocket(socket, protocolFactory)
        }
        guard let port else { throw .usage(.argument("host and port was not specified and no sock specified")) }
        // getaddrinfo's answer for no host, without AI_PASSIVE: this machine.
        let name = host.flatMap { $0.isEmpty ? nil : $0 } ?? "localhost"
        return try await connect(.host(name, port: port), options, protocolFactory)
    }

    /// Connects to a Unix socket (asyncio: `create_unix_connection`).
    ///
    /// - Throws: as `createConnection`.
    public nonisolated(nonsending) func createUnixConnection<Made: StreamProtocol>(
        _ protocolFactory: @escaping () throws -> Made, path: String? = nil, socket: Int32? = nil
    ) async throws(TransportError) -> (transport: any StreamTransport, protocol: Made) {
        guard path == nil || socket == nil else {
            throw .usage(.argument("path and sock can not be specified at the same time"))
        }
        if let socket {
            guard case .unix = streamSocketName(socket) else {
                throw .usage(.argument("A UNIX Domain Stream Socket was expected, got <descriptor \(socket)>"))
            }
            return try await adoptSocket(socket, protocolFactory)
        }
        guard let path else { throw .usage(.argument("no path and sock were specified")) }
        return try await connect(.unix(path: path), .asyncio, protocolFactory)
    }

    /// The addresses of `host` (asyncio: `getaddrinfo`, rule 39).
    ///
    /// - Throws: `TransportError.resolution` if there is none, `.cancelled` with the task.
    public nonisolated(nonsending) func getaddrinfo(
        host: String, port: UInt16
    ) async throws(TransportError) -> [SocketAddress] {
        try await wait { resolve(host: host, port: port, completion: $0) }
    }

    private nonisolated(nonsending) func connect<Made: StreamProtocol>(
        _ endpoint: Endpoint, _ options: ConnectOptions, _ protocolFactory: @escaping () throws -> Made
    ) async throws(TransportError) -> (transport: any StreamTransport, protocol: Made) {
        var made: Made?
        let transport: any StreamTransport
        do throws(TransportError) {
            transport = try await wait(late: { $0.abort() }) { completion in
                createConnection(
                    to: endpoint, options: options,
                    protocolFactory: {
                        let new = try protocolFactory()
                        made = new
                        return new
                    }, completion: completion)
            }
        } catch { throw error.merged }
        guard let made else { throw .usage("the protocol factory was not called") }
        return (transport, made)
    }

    private nonisolated(nonsending) func adoptSocket<Made: StreamProtocol>(
        _ socket: Int32, _ protocolFactory: @escaping () throws -> Made
    ) async throws(TransportError) -> (transport: any StreamTransport, protocol: Made) {
        var made: Made?
        let transport: any StreamTransport = try await wait {
            (done: @escaping (Result<any StreamTransport, TransportError>) -> Void) throws(TransportError) in
            let transport = try adoptConnection(descriptor: socket) {
                let new = try protocolFactory()
                made = new
                return new
            }
            callSoon { done(.success(transport)) }
            return nil
        }
        guard let made else { throw .usage("the protocol factory was not called") }
        return (transport, made)
    }
}

extension TransportError {
    /// One error where all addresses failed alike (rule 47).
    fileprivate var merged: TransportError {
        guard case .several(let errors) = self, let first = errors.first else { return self }
        return errors.allSatisfy { $0.description == first.description } ? first : self
    }
}
