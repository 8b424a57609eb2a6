import AnyloopCore

/// How `CompatLoop.createConnection` goes about it; the defaults are asyncio's.
public struct CompatConnectOptions: Sendable {
    /// The address to connect from (asyncio: `local_addr`).
    public var localAddress: SocketAddress?
    /// Head start of one address before the next; nil tries them one by one (rule 46).
    public var happyEyeballsDelay: Duration?

    /// The defaults.
    public init() {}
}

extension CompatLoop {
    /// Connects a stream and returns once `connectionMade` has run (asyncio: `create_connection`, rules 45 to 49).
    ///
    /// Either `host` and `port`, or `socket`: the descriptor of a connected stream socket, which is taken over.
    ///
    /// - Throws: `TransportError.usage` for arguments that contradict each other; what kept it from connecting:
    ///   one error if all were alike, else `.several` (rule 47); `.cancelled` with the task.
    public nonisolated(nonsending) func createConnection<Made: StreamProtocol>(
        _ protocolFactory: @escaping () throws -> Made, host: String? = nil, port: UInt16? = nil,
        socket: Int32? = nil, options: CompatConnectOptions = CompatConnectOptions()
    ) async throws(TransportError) -> (transport: any StreamTransport, protocol: Made) {
        guard host == nil && port == nil || socket == nil else {
            throw .usage(.argument("host/port and sock can not be specified at the same time"))
        }
        if let socket { return try await adoptSocket(socket, protocolFactory, "A Stream Socket was expected") }
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
            return try await adoptSocket(socket, protocolFactory, "A UNIX Domain Stream Socket was expected")
        }
        guard let path else { throw .usage(.argument("no path and sock were specified")) }
        return try await connect(.unix(path: path), CompatConnectOptions(), protocolFactory)
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
        _ endpoint: Endpoint, _ options: CompatConnectOptions, _ protocolFactory: @escaping () throws -> Made
    ) async throws(TransportError) -> (transport: any StreamTransport, protocol: Made) {
        var connectOptions = ConnectOptions()
        connectOptions.localAddress = options.localAddress
        connectOptions.happyEyeballsDelay = options.happyEyeballsDelay
        var made: Made?
        let transport: any StreamTransport
        do throws(TransportError) {
            transport = try await wait { completion in
                createConnection(
                    to: endpoint, options: connectOptions,
                    protocolFactory: {
                        let new = try protocolFactory()
                        made = new
                        return new
                    }, completion: completion)
            }
        } catch { throw CompatLoop.merged(error) }
        guard let made else { throw .usage("the protocol factory was not called") }
        return (transport, made)
    }

    private nonisolated(nonsending) func adoptSocket<Made: StreamProtocol>(
        _ socket: Int32, _ protocolFactory: @escaping () throws -> Made, _ complaint: String
    ) async throws(TransportError) -> (transport: any StreamTransport, protocol: Made) {
        guard SocketAddress.isStream(socket) else { throw .usage(.argument("\(complaint), got descriptor \(socket)")) }
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

    /// One error where all addresses failed alike (rule 47).
    private static func merged(_ error: TransportError) -> TransportError {
        guard case .several(let errors) = error, let first = errors.first else { return error }
        return errors.allSatisfy { $0.description == first.description } ? first : error
    }
}
