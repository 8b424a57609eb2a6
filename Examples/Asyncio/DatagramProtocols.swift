import Anyloop

// begin: udp-echo-server
final class EchoServerDatagrams: DatagramProtocol {
    private var transport: (any DatagramTransport)?

    func connectionMade(_ transport: any DatagramTransport) { self.transport = transport }

    func datagramReceived(_ data: Span<UInt8>, from address: SocketAddress?) {
        let message = text(data)
        print("Received \(message) from \(address?.description ?? "somewhere")")
        print("Send \(message) to \(address?.description ?? "somewhere")")
        transport?.send(data, to: address)
    }
}

func udpEchoServer(
    on loop: any TaskLoop, port: UInt16 = 9999, serving time: Duration = .seconds(3600)
) throws {
    try loop.runUntilComplete {
        print("Starting UDP server")
        // One protocol instance will be created to serve all client requests.
        let (transport, _) = try await loop.createDatagramEndpoint(
            { EchoServerDatagrams() }, localAddress: .host("127.0.0.1", port: port))
        print("Bound to \(transport.socketName?.description ?? "nothing")")
        defer { transport.close() }
        try await loop.sleep(for: time)
    }
}
// end: udp-echo-server

// begin: udp-echo-client
final class EchoClientDatagrams: DatagramProtocol {
    private let message: String
    private let onConnectionLost: Future<Bool>
    private var transport: (any DatagramTransport)?

    init(_ message: String, _ onConnectionLost: Future<Bool>) {
        self.message = message
        self.onConnectionLost = onConnectionLost
    }

    func connectionMade(_ transport: any DatagramTransport) {
        self.transport = transport
        print("Send: \(message)")
        transport.send(Array(message.utf8).span, to: nil)
    }

    func datagramReceived(_ data: Span<UInt8>, from address: SocketAddress?) {
        print("Received: \(text(data))")
        print("Close the socket")
        transport?.close()
    }

    func errorReceived(_ error: TransportError) {
        print("Error received: \(error)")
    }

    func connectionLost(_ error: TransportError?) throws {
        print("Connection closed")
        try onConnectionLost.setResult(true)
    }
}

func udpEchoClient(on loop: any TaskLoop, port: UInt16 = 9999) throws {
    try loop.runUntilComplete {
        let onConnectionLost = loop.createFuture(of: Bool.self)
        let (transport, _) = try await loop.createDatagramEndpoint(
            { EchoClientDatagrams("Hello World!", onConnectionLost) }, remoteAddress: .host("127.0.0.1", port: port))
        defer { transport.close() }
        _ = try await onConnectionLost.value
    }
}
// end: udp-echo-client
