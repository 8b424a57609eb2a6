import AnyloopCore

extension TaskLoop {
    /// Listens for streams (asyncio: `create_server`, rules 51 to 55).
    ///
    /// One socket for each address of `host`; nil or an empty name stands for every address of this machine, IPv4
    /// and IPv6. A `port` of 0 gives each socket a port of its own. Or `socket`: a bound stream socket, which is
    /// taken over.
    ///
    /// - Throws: `TransportError.usage` for arguments that contradict each other; `.resolution`; `.system` if an
    ///   address cannot be bound, with none left bound.
    public nonisolated(nonsending) func createServer(
        _ protocolFactory: @escaping () throws -> any StreamProtocol, host: String? = nil, port: UInt16? = nil,
        socket: Int32? = nil, options: ServerOptions = ServerOptions()
    ) async throws(TransportError) -> AsyncServer {
        guard host != nil || port != nil else {
            guard let socket else { throw .usage(.argument("Neither host/port nor sock were specified")) }
            guard streamSocketName(socket) != nil else {
                throw .usage(.argument("A Stream Socket was expected, got <descriptor \(socket)>"))
            }
            return try await listen(on: socket, options, protocolFactory)
        }
        guard socket == nil else {
            throw .usage(.argument("host/port and sock can not be specified at the same time"))
        }
        return try await createServer(protocolFactory, hosts: [host ?? ""], port: port ?? 0, options: options)
    }

    /// Listens for streams on every address of every one of `hosts`.
    public nonisolated(nonsending) func createServer(
        _ protocolFactory: @escaping () throws -> any StreamProtocol, hosts: [String], port: UInt16,
        options: ServerOptions = ServerOptions()
    ) async throws(TransportError) -> AsyncServer {
        try checkThread()
        guard !hosts.isEmpty else { throw .usage(.argument("Neither host/port nor sock were specified")) }
        let found: [[SocketAddress]]
        do {
            found = try await gather(hosts.map { host in { try await self.addressesToBind(host, port) } }).value
        } catch let error as TransportError { throw error } catch { throw .cancelled }
        var addresses: [SocketAddress] = []
        for address in found.joined() where !addresses.contains(address) { addresses.append(address) }
        return try await listen(addresses, options, protocolFactory)
    }

    /// Listens on a Unix socket (asyncio: `create_unix_server`, rule 62): a stale socket file is replaced.
    ///
    /// Either `path` or `socket`: a bound Unix stream socket, which is taken over.
    ///
    /// - Throws: `TransportError.usage` for arguments that contradict each other, or if `path` exists and is no
    ///   socket; `.system` if it cannot be bound.
    public nonisolated(nonsending) func createUnixServer(
        _ protocolFactory: @escaping () throws -> any StreamProtocol, path: String? = nil, socket: Int32? = nil,
        options: ServerOptions = ServerOptions()
    ) async throws(TransportError) -> AsyncServer {
        try checkThread()
        if let path {
            guard socket == nil else {
                throw .usage(.argument("path and sock can not be specified at the same time"))
            }
            return try await listen([.unix(path: path)], options, protocolFactory)
        }
        guard let socket else { throw .usage(.argument("path was not specified, and no sock specified")) }
        guard case .unix = streamSocketName(socket) else {
            throw .usage(.argument("A UNIX Domain Stream Socket was expected, got <descriptor \(socket)>"))
        }
        return try await listen(on: socket, options, protocolFactory)
    }

    private nonisolated(nonsending) func addressesToBind(
        _ host: String, _ port: UInt16
    ) async throws(TransportError) -> [SocketAddress] {
        guard host.isEmpty else {
            if let address = SocketAddress(literal: host, port: port) { return [address] }
            return try await getaddrinfo(host: host, port: port)
        }
        return anyAddresses(port: port)
    }

    private nonisolated(nonsending) func listen(
        _ addresses: [SocketAddress], _ options: ServerOptions,
        _ protocolFactory: @escaping () throws -> any StreamProtocol
    ) async throws(TransportError) -> AsyncServer {
        let server: any Server
        do throws(TransportError) {
            server = try createServer(on: addresses, options: options, protocolFactory: protocolFactory)
        } catch { throw error.wordedAsBind }
        return try await started(server, options)
    }

    private nonisolated(nonsending) func listen(
        on socket: Int32, _ options: ServerOptions, _ protocolFactory: @escaping () throws -> any StreamProtocol
    ) async throws(TransportError) -> AsyncServer {
        try checkThread()
        guard let loop = self as? any SocketLoop else { throw .takesNoSockets }
        let server = try loop.createServer(
            descriptors: [socket], options: options, protocolFactory: protocolFactory)
        return try await started(server, options)
    }

    /// asyncio lets one turn pass, so that the readers are in place.
    private nonisolated(nonsending) func started(
        _ server: any Server, _ options: ServerOptions
    ) async throws(TransportError) -> AsyncServer {
        let made = AsyncServer(loop: self, server)
        guard options.startServing else { return made }
        do throws(TransportError) { try await sleep(for: .zero) } catch {
            // Nobody gets the server who could close it.
            made.close()
            throw error
        }
        return made
    }
}

extension TransportError {
    /// What a `socket` argument gets on a loop that is no `SocketLoop`.
    static var takesNoSockets: TransportError {
        .usage(.notImplemented("this loop takes over no sockets; give it addresses"))
    }

    /// A failure to bind in asyncio's words (rule 51).
    fileprivate var wordedAsBind: TransportError {
        guard case .system(var system) = self, system.operation.hasPrefix("bind on ") else { return self }
        let address = system.operation.dropFirst("bind on ".count)
        system.text = "error while attempting to bind on address \(address): \(system.text.lowercased())"
        system.operation = "bind"
        return .system(system)
    }
}
