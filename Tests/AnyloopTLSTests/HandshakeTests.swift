import AnyloopCore
import AnyloopNativeLoop
import AnyloopTLS
import AnyloopTesting
import Testing

/// Sends back what it gets, and notes what happens.
final class TLSEcho: StreamProtocol {
    var transport: (any StreamTransport)?
    var received: [UInt8] = []
    var sawEnd = false
    var lost: TransportError??
    var isEchoing = false

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }

    func dataReceived(_ data: Span<UInt8>) {
        for index in 0..<data.count { received.append(data[index]) }
        if isEchoing { transport?.write(data) }
    }

    func eofReceived() -> Bool {
        sawEnd = true
        return false
    }

    func connectionLost(_ error: TransportError?) { lost = .some(error) }
}

@Suite struct HandshakeTests {
    static func contexts() throws -> (TLSServerContext, TLSClientContext) {
        let identity = try TLSIdentity.selfSigned(names: ["localhost", "127.0.0.1"])
        var options = TLSClientOptions()
        options.trust = .pem(identity.certificateChain)
        return (try TLSServerContext(TLSServerOptions(identity: identity)), try TLSClientContext(options))
    }

    @Test func talksOverTCP() throws {
        let loop = try NativeLoop()
        defer { loop.closeLoop() }
        let (serverContext, clientContext) = try Self.contexts()
        let served = TLSEcho()
        served.isEchoing = true
        let server = try loop.createServer(on: [.loopback(port: 0)], tls: serverContext) { served }
        let client = TLSEcho()
        var result: Result<any StreamTransport, TransportError>?
        let port = try #require(server.addresses.first?.port)
        loop.createConnection(to: .host("localhost", port: port), tls: clientContext) {
            client
        } completion: {
            result = $0
        }
        try spin(loop) { result != nil }
        let transport = try #require(try result?.get())
        #expect(transport.tls?.version == "TLSv1.3")
        let bytes = [UInt8](repeating: 7, count: 3_000_000)
        transport.write(bytes)
        try spin(loop) { client.received.count == bytes.count }
        #expect(client.received == bytes)
        transport.close()
        try spin(loop) { client.lost != nil && served.lost != nil }
        #expect(client.lost as? TransportError == nil)
        #expect(served.lost as? TransportError == nil)
        #expect(served.sawEnd)
        #expect(served.transport?.tls?.ending == .closeNotify)
        server.close()
    }

    func spin(_ loop: NativeLoop, until isDone: () -> Bool) throws {
        let end = ContinuousClock.now + .seconds(10)
        while !isDone() {
            try loop.runOnce(timeout: .milliseconds(20))
            try #require(ContinuousClock.now < end)
        }
    }
}
