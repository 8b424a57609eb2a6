import Anyloop

// begin: echo-protocol
final class Echo: StreamProtocol {
    private var transport: (any StreamTransport)?

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }
    func dataReceived(_ data: Span<UInt8>) { transport?.write(data) }

    // Reads no faster than the peer takes its echo: what netius did itself is said here.
    func pauseWriting() { transport?.pauseReading() }
    func resumeWriting() { transport?.resumeReading() }
}

func serveEcho(on loop: any Loop, port: UInt16 = 8888) throws -> any Server {
    try loop.createServer(on: [.loopback(port: port)], options: ServerOptions()) { Echo() }
}
// end: echo-protocol

// begin: hello-http
final class HelloHTTP: StreamProtocol {
    private static let keepAlive = Array(
        """
        HTTP/1.1 200 OK\r
        Connection: keep-alive\r
        Content-Type: text/plain\r
        Content-Length: 13\r
        \r
        Hello, world!
        """.utf8)
    private var transport: (any StreamTransport)?

    func connectionMade(_ transport: any StreamTransport) {
        self.transport = transport
        print("Connection from \(transport.peerName?.description ?? "somewhere")")
    }

    func connectionLost(_ error: TransportError?) { print("Connection lost") }

    func dataReceived(_ data: Span<UInt8>) { transport?.write(Self.keepAlive) }
}
// end: hello-http

func serveHelloHTTP(on loop: any Loop, port: UInt16 = 8888) throws -> any Server {
    try loop.createServer(on: [.loopback(port: port)], options: ServerOptions()) { HelloHTTP() }
}

// begin: connect-and-close
/// Sends one message, waits for the answer, and ends the connection itself: there is no `auto_close`.
final class AskOnce: StreamProtocol {
    private var transport: (any StreamTransport)?

    func connectionMade(_ transport: any StreamTransport) {
        self.transport = transport
        transport.write(Array("question".utf8))
    }

    func dataReceived(_ data: Span<UInt8>) {
        print("Answer: \(text(data))")
        transport?.close()
    }

    func connectionLost(_ error: TransportError?) {
        transport = nil
        print(error.map { "Lost: \($0)" } ?? "Closed")
    }
}

func askOnce(on loop: any Loop, port: UInt16, completion: @escaping () -> Void) {
    loop.createConnection(
        to: .host("127.0.0.1", port: port), options: ConnectOptions(), protocolFactory: { AskOnce() }
    ) { result in
        if case .failure(let error) = result { print("Cannot connect: \(error)") }
        completion()
    }
}
// end: connect-and-close
