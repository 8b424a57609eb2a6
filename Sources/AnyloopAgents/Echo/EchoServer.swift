import AnyloopCore
import AnyloopTLS

/// An echo service (RFC 862) over TCP, UDP and Unix sockets. Confined to its loop's thread.
public final class EchoServer {
    private let loop: any Loop
    private let service = EchoService()
    private var servers: [any Server] = []
    private var endpoints: [any DatagramTransport] = []

    /// An echo server on `loop` that listens nowhere yet.
    public init(loop: any Loop) {
        self.loop = loop
    }

    /// Listens for stream connections (TCP, Unix) on all of `addresses` or, on an error, on none.
    public func listen(on addresses: [SocketAddress], options: ServerOptions = ServerOptions()) throws(TransportError) {
        let service = service
        servers.append(
            try loop.createServer(on: addresses, options: options) { EchoProtocol(service: service) })
    }

    /// Listens for TLS connections on all of `addresses` or, on an error, on none.
    public func listen(
        on addresses: [SocketAddress], options: ServerOptions = ServerOptions(), tls source: TLSServerContextSource
    ) throws(TransportError) {
        let service = service
        servers.append(
            try loop.createServer(on: addresses, options: options, tls: source) { EchoProtocol(service: service) })
    }

    /// Receives datagrams (UDP, Unix) on `address`.
    public func bindDatagram(
        _ address: SocketAddress, options: DatagramOptions = DatagramOptions()
    ) throws(TransportError) {
        endpoints.append(
            try loop.createDatagramEndpoint(local: address, remote: nil, options: options) { EchoDatagramProtocol() })
    }

    /// The bound stream addresses, with the real ports.
    public var addresses: [SocketAddress] { servers.flatMap(\.addresses) }

    /// The bound datagram addresses, with the real ports.
    public var datagramAddresses: [SocketAddress] { endpoints.compactMap(\.socketName) }

    /// Connections that are open.
    public var connectionCount: Int { service.connections.count }

    /// Stops listening; open connections get up to `grace` to end, then they are aborted.
    ///
    /// `completion` runs once the last connection is gone.
    public func close(grace: Duration = .zero, completion: @escaping () -> Void = {}) {
        for server in servers { server.close() }
        for endpoint in endpoints { endpoint.close() }
        servers.removeAll()
        endpoints.removeAll()
        let service = service
        let timer = loop.callLater(grace) { service.abortAll() }
        service.whenEmpty(on: loop) {
            timer.cancel()
            completion()
        }
    }
}

/// The connections of one echo server.
final class EchoService {
    private(set) var connections: [ObjectIdentifier: any StreamTransport] = [:]
    private var onEmpty: [() -> Void] = []

    func add(_ connection: EchoProtocol, _ transport: any StreamTransport) {
        connections[ObjectIdentifier(connection)] = transport
    }

    func remove(_ connection: EchoProtocol) {
        connections[ObjectIdentifier(connection)] = nil
        guard connections.isEmpty else { return }
        let callbacks = onEmpty
        onEmpty.removeAll()
        for callback in callbacks { callback() }
    }

    func abortAll() {
        for transport in connections.values { transport.abort() }
    }

    func whenEmpty(on loop: any Loop, _ callback: @escaping () -> Void) {
        guard connections.isEmpty else {
            onEmpty.append(callback)
            return
        }
        loop.callSoon(callback)
    }
}
