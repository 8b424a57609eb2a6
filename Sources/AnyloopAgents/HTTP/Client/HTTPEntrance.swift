import AnyloopCore

/// Stands in for an HTTP connection over TLS until it is known that the server speaks HTTP/1.1 inside.
final class HTTPEntrance: StreamProtocol {
    private let connection: HTTPClientProtocol
    private let onFailure: (HTTPClientError) -> Void

    init(to connection: HTTPClientProtocol, onFailure: @escaping (HTTPClientError) -> Void) {
        self.connection = connection
        self.onFailure = onFailure
    }

    /// Lets the connection in, or turns the server away.
    func connectionMade(_ transport: any StreamTransport) {
        if let name = transport.tls?.alpn, name != "http/1.1", name != "http/1.0" {
            transport.abort()
            let text = "the server chose the application protocol '\(name)', which is not spoken here; offer http/1.1"
            return onFailure(.connect(.tls(TLSError(.noCommonProtocol, text))))
        }
        transport.streamProtocol = connection
        connection.connectionMade(transport)
    }

    /// Nothing comes here: the connection has the transport, or it is aborted.
    func dataReceived(_ data: Span<UInt8>) {}
}
