import AnyloopCore

extension TaskLoop {
    /// Opens a datagram endpoint and returns once `connectionMade` has run (asyncio: `create_datagram_endpoint`,
    /// rules 107 to 114).
    ///
    /// Names are resolved; the first pair of addresses of one family that can be bound and connected is taken.
    ///
    /// Or `socket`: a datagram socket, bound and connected as it is, which is taken over.
    ///
    /// - Throws: `TransportError.usage` for neither address or families that do not match, `.resolution`, `.system`.
    public nonisolated(nonsending) func createDatagramEndpoint<Made: DatagramProtocol>(
        _ protocolFactory: @escaping () throws -> Made, localAddress: Endpoint? = nil,
        remoteAddress: Endpoint? = nil, socket: Int32? = nil, options: DatagramOptions = DatagramOptions()
    ) async throws(TransportError) -> (transport: any DatagramTransport, protocol: Made) {
        try checkThread()
        if let socket {
            try checkAlone(socket, localAddress, remoteAddress, options)
            return try await adoptDatagramSocket(socket, protocolFactory)
        }
        guard localAddress != nil || remoteAddress != nil else { throw .usage(.argument("unexpected address family")) }
        let pairs = pairs(
            localAddress == nil ? nil : try await addresses(of: localAddress),
            remoteAddress == nil ? nil : try await addresses(of: remoteAddress))
        guard !pairs.isEmpty else { throw .usage(.argument("can not get address information")) }
        var made: Made?
        var failure = TransportError.usage(.argument("can not get address information"))
        for (local, remote) in pairs {
            let transport: any DatagramTransport
            do throws(TransportError) {
                transport = try createDatagramEndpoint(local: local, remote: remote, options: options) {
                    let new = try protocolFactory()
                    made = new
                    return new
                }
            } catch {
                failure = error
                continue
            }
            if let made {
                try await waitUntilMade(transport)
                return (transport, made)
            }
        }
        throw failure
    }

    private func checkAlone(
        _ socket: Int32, _ local: Endpoint?, _ remote: Endpoint?, _ options: DatagramOptions
    ) throws(TransportError) {
        guard streamSocketName(socket) == nil else {
            throw .usage(.argument("A datagram socket was expected, got <descriptor \(socket)>"))
        }
        let others = [
            local.map { "local_addr=\($0)" }, remote.map { "remote_addr=\($0)" },
            options.reusePort ? "reuse_port=True" : nil, options.allowBroadcast ? "allow_broadcast=True" : nil,
        ].compactMap { $0 }
        guard others.isEmpty else {
            let text = "socket modifier keyword arguments can not be used when sock is specified."
            throw .usage(.argument("\(text) (\(others.joined(separator: ", ")))"))
        }
    }

    private nonisolated(nonsending) func adoptDatagramSocket<Made: DatagramProtocol>(
        _ socket: Int32, _ protocolFactory: @escaping () throws -> Made
    ) async throws(TransportError) -> (transport: any DatagramTransport, protocol: Made) {
        guard let loop = self as? any SocketLoop else { throw .takesNoSockets }
        var made: Made?
        let transport = try loop.createDatagramEndpoint(descriptor: socket) {
            let new = try protocolFactory()
            made = new
            return new
        }
        guard let made else { throw .usage("the protocol factory was not called") }
        try await waitUntilMade(transport)
        return (transport, made)
    }

    private nonisolated(nonsending) func addresses(
        of endpoint: Endpoint?
    ) async throws(TransportError) -> [SocketAddress] {
        switch endpoint {
        case nil: return []
        case .address(let address): return [address]
        case .host(let host, let port):
            if let address = SocketAddress(literal: host, port: port) { return [address] }
            return try await getaddrinfo(host: host, port: port)
        }
    }
}

/// What may be bound with what: one address of each side, of the same family.
private func pairs(
    _ local: [SocketAddress]?, _ remote: [SocketAddress]?
) -> [(SocketAddress?, SocketAddress?)] {
    switch (local, remote) {
    case (nil, nil): []
    case (let local?, nil): local.map { ($0, nil) }
    case (nil, let remote?): remote.map { (nil, $0) }
    case (let local?, let remote?):
        local.flatMap { near in remote.filter { $0.isOfSameFamily(as: near) }.map { (near, $0) } }
    }
}

extension SocketAddress {
    fileprivate func isOfSameFamily(as other: SocketAddress) -> Bool {
        switch (self, other) {
        case (.v4, .v4), (.v6, .v6), (.unix, .unix): true
        case (.v4, _), (.v6, _), (.unix, _): false
        }
    }
}
