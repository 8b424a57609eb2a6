import AnyloopCore

/// A server whose connections are told as the TLS transports above them.
final class TLSServer: Server {
    private let server: any Server

    init(_ server: any Server) { self.server = server }

    var addresses: [SocketAddress] { server.addresses }
    var isServing: Bool { server.isServing }
    var connectionCount: Int { server.connectionCount }

    /// The TLS transports, so that closing them says `close_notify`.
    var clients: [any StreamTransport] {
        server.clients.map { $0.streamProtocol as? TLSConnection ?? $0 }
    }

    func startServing() throws(TransportError) { try server.startServing() }
    func close() { server.close() }
    func whenClosed(_ callback: @escaping () -> Void) { server.whenClosed(callback) }
}
