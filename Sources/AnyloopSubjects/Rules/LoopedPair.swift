import Anyloop

/// One end of a connection, which keeps what it hears.
final class PairEnd: StreamProtocol {
    private(set) var transport: (any StreamTransport)?
    private(set) var received: [UInt8] = []
    private(set) var isLost = false
    /// Runs in each callback, with its name.
    var heard: (String) -> Void = { _ in }
    /// Whether it stops reading as soon as the connection stands.
    var startsPaused = false

    func connectionMade(_ transport: any StreamTransport) {
        self.transport = transport
        if startsPaused { transport.pauseReading() }
        heard("connectionMade")
    }

    func dataReceived(_ data: Span<UInt8>) {
        for index in data.indices { received.append(data[index]) }
        heard("dataReceived")
    }

    func connectionLost(_ error: TransportError?) {
        transport = nil
        isLost = true
        heard("connectionLost")
    }
}

/// Both ends of a connection over loopback, on one loop.
struct LoopedPair {
    let server: PairEnd
    let client: PairEnd

    /// Connects; nil, after 5 s, if the connection does not come up.
    ///
    /// - Throws: what making the server and running the loop throw.
    init?(on loop: any Loop, prepare: (_ server: PairEnd, _ client: PairEnd) -> Void = { _, _ in }) throws {
        let (server, client) = (PairEnd(), PairEnd())
        prepare(server, client)
        let listener = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) { server }
        defer { listener.close() }
        guard let address = listener.addresses.first else { return nil }
        loop.createConnection(to: .address(address), options: ConnectOptions()) {
            client
        } completion: { _ in
        }
        guard try loop.turns(until: { server.transport != nil && client.transport != nil }) else { return nil }
        self.server = server
        self.client = client
    }
}

extension LoopedPair {
    /// What a check says whose connection did not come up.
    static let missing = "the connection over loopback did not come up within 5 seconds"
}
