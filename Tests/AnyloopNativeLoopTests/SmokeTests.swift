import AnyloopCore
import AnyloopNativeLoop
import Testing

private final class Echo: StreamProtocol {
    var transport: (any StreamTransport)?
    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }
    func dataReceived(_ data: Span<UInt8>) { transport?.write(data) }
    func connectionLost(_ error: TransportError?) { transport = nil }
}

private final class Client: StreamProtocol {
    let payload: [UInt8]
    var received: [UInt8] = []
    var isLost = false
    var transport: (any StreamTransport)?
    init(_ payload: [UInt8]) { self.payload = payload }
    func connectionMade(_ transport: any StreamTransport) {
        self.transport = transport
        transport.write(payload)
    }
    func dataReceived(_ data: Span<UInt8>) {
        for index in data.indices { received.append(data[index]) }
        if received.count == payload.count { transport?.close() }
    }
    func connectionLost(_ error: TransportError?) {
        isLost = true
        transport?.loop.stop()
        transport = nil
    }
}

@Suite struct SmokeTests {
    @Test(arguments: PollerKind.allCases)
    func echoesOverTCP(_ poller: PollerKind) throws {
        var options = NativeLoopOptions()
        options.poller = poller
        let loop = try NativeLoop(options: options)
        defer { loop.closeLoop() }
        let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) { Echo() }
        let address = try #require(server.addresses.first)
        let client = Client((0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        loop.createConnection(to: .address(address), options: ConnectOptions(), protocolFactory: { client }) { result in
            if case .failure(let error) = result { Issue.record("\(error)") }
        }
        try loop.run()
        #expect(client.isLost)
        #expect(client.received == client.payload)
    }
}
