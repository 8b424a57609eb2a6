import AnyloopCore

extension MemoryLoop {
    /// Connects to a server of this loop; names are looked up in `hosts`.
    @discardableResult
    public func createConnection(
        to endpoint: Endpoint, options: ConnectOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) -> any Cancellable {
        let attempt = MemoryConnect(loop: self, options: options, factory: protocolFactory, completion: completion)
        attempt.start(endpoint)
        return attempt
    }

    /// Listens on addresses of this loop; a port of 0 gets a free one.
    public func createServer(
        on addresses: [SocketAddress], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        if isClosed { throw .loopClosed }
        var bound: [SocketAddress] = []
        for address in addresses {
            let name = address.port == 0 ? address.withPort(takePort()) : address
            guard servers[name] == nil, !bound.contains(name) else { throw MemoryLoop.addressInUse }
            bound.append(name)
        }
        let server = MemoryServer(
            loop: self, addresses: bound, options: options, protocolFactory: protocolFactory)
        for address in bound { servers[address] = server }
        return server
    }

    /// Opens an endpoint that reaches the others of this loop.
    public func createDatagramEndpoint(
        local: SocketAddress?, remote: SocketAddress?, options: DatagramOptions,
        protocolFactory: () throws -> any DatagramProtocol
    ) throws(TransportError) -> any DatagramTransport {
        if isClosed { throw .loopClosed }
        var name = local ?? .loopback(port: 0)
        if name.port == 0 { name = name.withPort(takePort()) }
        guard datagrams[name] == nil else { throw MemoryLoop.addressInUse }
        let datagramProtocol: any DatagramProtocol
        do { datagramProtocol = try protocolFactory() } catch {
            throw .callback(name: "protocolFactory", error: error)
        }
        let transport = MemoryDatagramTransport(loop: self, socketName: name, peerName: remote)
        datagrams[name] = transport
        transport.start(datagramProtocol)
        return transport
    }

    /// Always fails: there are no descriptors in memory.
    @discardableResult
    public func adoptConnection(
        descriptor: Int32, protocolFactory: () throws -> any StreamProtocol
    ) throws(TransportError) -> any StreamTransport {
        throw .usage("a MemoryLoop has no descriptors: use MemoryStream.pair(on:_:)")
    }

    /// Looks `host` up in `hosts`; the answer comes in the next turn.
    @discardableResult
    public func resolve(
        host: String, port: UInt16, completion: @escaping (Result<[SocketAddress], TransportError>) -> Void
    ) -> any Cancellable {
        let result = lookUp(host, port: port)
        let handle = callSoon { completion(result) }
        return CancelAction { [weak self] in
            guard handle.callback != nil else { return }
            handle.cancel()
            self?.callSoon { completion(.failure(.cancelled)) }
        }
    }

    func lookUp(_ host: String, port: UInt16) -> Result<[SocketAddress], TransportError> {
        if let address = SocketAddress(literal: host, port: port) { return .success([address]) }
        guard let addresses = hosts[host], !addresses.isEmpty else {
            return .failure(.resolution(host: host, code: -2, text: "Name or service not known"))
        }
        return .success(addresses.map { $0.withPort(port) })
    }

    func takePort() -> UInt16 {
        defer { nextPort = nextPort == .max ? 49152 : nextPort + 1 }
        return nextPort
    }

    static var addressInUse: TransportError {
        .system(SystemError(errno: 98, operation: "bind", text: "Address already in use"))
    }
}

extension SocketAddress {
    /// The same host with another port; a Unix socket stays as it is.
    func withPort(_ port: UInt16) -> SocketAddress {
        switch self {
        case .v4(let address, _): .v4(address: address, port: port)
        case .v6(let high, let low, _, let scope): .v6(high: high, low: low, port: port, scope: scope)
        case .unix: self
        }
    }

    /// Every address of this machine, at the same port.
    var wildcard: SocketAddress? {
        switch self {
        case .v4(_, let port): .v4(address: 0, port: port)
        case .v6(_, _, let port, _): .v6(high: 0, low: 0, port: port, scope: 0)
        case .unix: nil
        }
    }
}

/// One attempt to connect: the addresses in order, each refused at once, taken, or never answered.
final class MemoryConnect: Cancellable {
    private let loop: MemoryLoop
    private let options: ConnectOptions
    private let factory: () throws -> any StreamProtocol
    private var completion: ((Result<any StreamTransport, TransportError>) -> Void)?
    private var timer: TimerHandle?
    private var transport: MemoryTransport?
    private var failures: [TransportError] = []

    init(
        loop: MemoryLoop, options: ConnectOptions, factory: @escaping () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) {
        self.loop = loop
        self.options = options
        self.factory = factory
        self.completion = completion
    }

    func start(_ endpoint: Endpoint) {
        if let timeout = options.timeout {
            timer = loop.callLater(timeout) { [self] in
                finish(.failure(.timedOut(what: "connecting to \(endpoint)", after: timeout)))
            }
        }
        loop.callSoon { [self] in
            switch endpoint {
            case .address(let address): tryNext([address][...])
            case .host(let host, let port):
                switch loop.lookUp(host, port: port) {
                case .success(let addresses): tryNext(addresses[...])
                case .failure(let error): finish(.failure(error))
                }
            }
        }
    }

    func cancel() {
        guard completion != nil else { return }
        transport?.abort()
        loop.callSoon { [self] in finish(.failure(.cancelled)) }
    }

    private func tryNext(_ addresses: ArraySlice<SocketAddress>) {
        guard completion != nil else { return }
        guard let address = addresses.first else {
            finish(.failure(failures.count == 1 ? failures[0] : .several(failures)))
            return
        }
        guard !loop.unanswered.contains(address) else { return }
        let own = options.localAddress ?? address.withPort(loop.takePort())
        let near = MemoryTransport(loop: loop, socketName: own, peerName: address)
        let far = MemoryTransport(loop: loop, socketName: address, peerName: own)
        let server = loop.servers[address] ?? address.wildcard.flatMap { loop.servers[$0] }
        guard let server, server.offer(far) else {
            failures.append(
                .system(SystemError(errno: 111, operation: "connect", text: "Connect call failed (\(address))")))
            tryNext(addresses.dropFirst())
            return
        }
        near.outlet = .transport(far)
        far.outlet = .transport(near)
        // The handshake is the kernel's: it takes a turn.
        loop.callSoon { [self] in connected(near) }
    }

    private func connected(_ near: MemoryTransport) {
        guard completion != nil else {
            near.abort()
            return
        }
        do {
            let streamProtocol = try factory()
            transport = near
            near.onMade = { [self] in finish(.success(near)) }
            near.start(streamProtocol)
        } catch {
            near.abort()
            finish(.failure(.callback(name: "protocolFactory", error: error)))
        }
    }

    private func finish(_ result: Result<any StreamTransport, TransportError>) {
        timer?.cancel()
        timer = nil
        guard let completion else { return }
        self.completion = nil
        if case .failure = result { transport?.abort() }
        completion(result)
    }
}
