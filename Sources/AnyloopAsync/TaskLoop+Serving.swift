import AnyloopCore

extension TaskLoop {
    /// Listens for streams (asyncio: `create_server`, rules 51 to 55).
    ///
    /// One socket for each address of `host`; nil or an empty name stands for every address of this machine, IPv4
    /// and IPv6. A `port` of 0 gives each socket a port of its own.
    ///
    /// - Throws: `TransportError.resolution`; `.system` if an address cannot be bound, with none left bound.
    public nonisolated(nonsending) func createServer(
        _ protocolFactory: @escaping () throws -> any StreamProtocol, host: String?, port: UInt16,
        options: ServerOptions = ServerOptions()
    ) async throws(TransportError) -> AsyncServer {
        try await createServer(protocolFactory, hosts: [host ?? ""], port: port, options: options)
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
    /// - Throws: `TransportError.usage` if `path` exists and is no socket, `.system` if it cannot be bound.
    public nonisolated(nonsending) func createUnixServer(
        _ protocolFactory: @escaping () throws -> any StreamProtocol, path: String,
        options: ServerOptions = ServerOptions()
    ) async throws(TransportError) -> AsyncServer {
        try checkThread()
        return try await listen([.unix(path: path)], options, protocolFactory)
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
        // asyncio lets one turn pass, so that the readers are in place.
        if options.startServing { try await sleep(for: .zero) }
        return AsyncServer(loop: self, server)
    }
}

extension TransportError {
    /// A failure to bind in asyncio's words (rule 51).
    fileprivate var wordedAsBind: TransportError {
        guard case .system(var system) = self, system.operation.hasPrefix("bind on ") else { return self }
        let address = system.operation.dropFirst("bind on ".count)
        system.text = "error while attempting to bind on address \(address): \(system.text.lowercased())"
        system.operation = "bind"
        return .system(system)
    }
}
