import AnyloopAgents
import AnyloopCore
import AnyloopTLS
import AnyloopWire
import HTTPTypes

/// A proxy that makes tunnels (RFC 9110 §9.3.6), and notes what it was asked.
final class TestProxy {
    private(set) var server: HTTPServer
    /// What it was asked for: "CONNECT a:443".
    private(set) var seen: [String] = []
    /// The logins it was told; nil for a request without.
    private(set) var logins: [String?] = []

    /// Listens on `address`, behind TLS where there is a context; every tunnel leads to `target`.
    init(
        on loop: any Loop, at address: SocketAddress, tls: TLSServerContext? = nil, target: @escaping () -> Endpoint
    ) throws {
        weak var proxy: TestProxy?
        server = HTTPServer(loop: loop) { exchange in
            proxy?.seen.append("\(exchange.request.method.rawValue) \(exchange.request.authority ?? "")")
            proxy?.logins.append(exchange.request.headerFields[.proxyAuthorization])
            guard exchange.method == .connect else {
                return exchange.respond(HTTPResponse(status: .ok), body: Array("by proxy".utf8))
            }
            Self.open(exchange, on: loop, to: target())
        }
        if let tls {
            try server.listen(on: [address], tls: tls)
        } else {
            try server.listen(on: [address])
        }
        proxy = self
    }

    private static func open(_ exchange: HTTPServerExchange, on loop: any Loop, to target: Endpoint) {
        let inner = RelayEnd()
        let outer = RelayEnd()
        (inner.other, outer.other) = (outer, inner)
        loop.createConnection(to: target, options: ConnectOptions()) {
            inner
        } completion: { result in
            guard case .success = result else { return exchange.respond(HTTPResponse(status: .badGateway)) }
            exchange.takeOver(with: HTTPResponse(status: .ok)) { transport, remaining in
                outer.connectionMade(transport)
                outer.dataReceived(remaining.span)
                return outer
            }
        }
    }
}

/// One end of a tunnel: what comes here leaves at the other.
private final class RelayEnd: StreamProtocol {
    var other: RelayEnd?
    private var transport: (any StreamTransport)?

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }

    func dataReceived(_ data: Span<UInt8>) {
        if !data.isEmpty { other?.transport?.write(data) }
    }

    func eofReceived() -> Bool {
        other?.transport?.close()
        return false
    }

    func pauseWriting() { other?.transport?.pauseReading() }

    func resumeWriting() { other?.transport?.resumeReading() }

    func connectionLost(_ error: TransportError?) {
        transport = nil
        other?.transport?.close()
        other = nil
    }
}
