import Anyloop

// begin: echo-server-protocol
final class EchoServerProtocol: StreamProtocol {
    private var transport: (any StreamTransport)?

    func connectionMade(_ transport: any StreamTransport) {
        print("Connection from \(transport.peerName?.description ?? "somewhere")")
        self.transport = transport
    }

    func dataReceived(_ data: Span<UInt8>) {
        let message = text(data)
        print("Data received: \(message)")

        print("Send: \(message)")
        transport?.write(data)

        print("Close the client socket")
        transport?.close()
    }
}

func echoServer(on loop: any TaskLoop, port: UInt16 = 8888) throws {
    try loop.runUntilComplete {
        let server = try await loop.createServer({ EchoServerProtocol() }, host: "127.0.0.1", port: port)
        print("Serving on \(server.addresses)")
        try await server.serveForever()
    }
}
// end: echo-server-protocol

// begin: echo-client-protocol
final class EchoClientProtocol: StreamProtocol {
    private let message: String
    private let onConnectionLost: Future<Bool>

    init(_ message: String, _ onConnectionLost: Future<Bool>) {
        self.message = message
        self.onConnectionLost = onConnectionLost
    }

    func connectionMade(_ transport: any StreamTransport) {
        transport.write(Array(message.utf8))
        print("Data sent: \(message)")
    }

    func dataReceived(_ data: Span<UInt8>) {
        print("Data received: \(text(data))")
    }

    func connectionLost(_ error: TransportError?) throws {
        print("The server closed the connection")
        try onConnectionLost.setResult(true)
    }
}

func echoClient(on loop: any TaskLoop, port: UInt16 = 8888) throws {
    try loop.runUntilComplete {
        let onConnectionLost = loop.createFuture(of: Bool.self)
        let message = "Hello World!"

        let (transport, _) = try await loop.createConnection(
            { EchoClientProtocol(message, onConnectionLost) }, host: "127.0.0.1", port: port)

        // Wait until the protocol signals that the connection is lost and close the transport.
        defer { transport.close() }
        _ = try await onConnectionLost.value
    }
}
// end: echo-client-protocol

// begin: connect-existing-socket
final class ReceiveOnce: StreamProtocol {
    private let onConnectionLost: Future<Bool>
    private var transport: (any StreamTransport)?

    init(_ onConnectionLost: Future<Bool>) { self.onConnectionLost = onConnectionLost }

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }

    func dataReceived(_ data: Span<UInt8>) {
        print("Received: \(text(data))")
        // We are done: close the transport; connectionLost() will be called automatically.
        transport?.close()
    }

    func connectionLost(_ error: TransportError?) throws {
        // The socket has been closed
        try onConnectionLost.setResult(true)
    }
}

func watchSocketWithProtocol(on loop: any TaskLoop) throws {
    try loop.runUntilComplete {
        let onConnectionLost = loop.createFuture(of: Bool.self)
        // Create a pair of connected sockets
        let (near, far) = try socketPair()
        // Register the socket to wait for data.
        let (transport, _) = try await loop.createConnection({ ReceiveOnce(onConnectionLost) }, socket: near)
        // Simulate the reception of data from the network.
        loop.callSoon { try send(far, "abc") }
        defer { transport.close() }
        _ = try await onConnectionLost.value
        closeSocket(far)
    }
}
// end: connect-existing-socket
