import AnyloopAgents
import AnyloopCore
import AnyloopNativeLoop
import HTTPTypes
import Testing

/// Client and server over real sockets of one native loop.
@Suite struct HTTPNativeTests {
    /// Runs `body` with a server that answers with what it got; `done` ends it.
    private func run(
        unixPath: String? = nil, options: HTTPClientOptions = HTTPClientOptions(),
        _ body: (HTTPClient, HTTPServer, Endpoint, @escaping () -> Void) -> Void
    ) throws {
        let loop = try NativeLoop()
        let server = HTTPServer(loop: loop) { $0.echo() }
        if let unixPath {
            try server.listen(unixPath: unixPath)
        } else {
            try server.listen(on: [.loopback(port: 0)])
        }
        let address = try #require(server.addresses.first)
        let client = HTTPClient(loop: loop, options: options)
        let guardTimer = loop.callLater(.seconds(60)) {
            Issue.record("the test takes too long")
            loop.stop()
        }
        body(client, server, .address(address)) {
            client.close()
            server.close(grace: .seconds(5)) { loop.stop() }
        }
        try loop.run()
        guardTimer.cancel()
        #expect(server.service.connectionCount == 0)
        loop.closeLoop()
    }

    private static let post = HTTPRequest(method: .post, scheme: "http", authority: "a", path: "/")

    @Test(arguments: [1, 100, 5_000_000])
    func largeBodiesGoBothWays(_ size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        try run { client, _, endpoint, done in
            client.fetch(Self.post, body: .bytes(bytes), via: endpoint) { result in
                switch result {
                case .success(let response): #expect(response.body == bytes)
                case .failure(let error): Issue.record("\(error)")
                }
                done()
            }
        }
    }

    @Test func thePoolKeepsToItsLimit() throws {
        var options = HTTPClientOptions()
        options.connectionsPerHost = 4
        try run(options: options) { client, server, endpoint, done in
            let left = Box(100)
            for _ in 0..<100 {
                client.fetch(Self.post, body: .bytes([1, 2, 3]), via: endpoint) { result in
                    if case .failure(let error) = result { Issue.record("\(error)") }
                    #expect(server.service.connectionCount <= 4)
                    left.value -= 1
                    if left.value == 0 { done() }
                }
            }
        }
    }

    @Test func unixSocketsWork() throws {
        let path = "/tmp/anyloop-agents-\(UInt64.random(in: 0 ... .max)).sock"
        try run(unixPath: path) { client, _, endpoint, done in
            client.fetch(Self.post, body: .bytes([1, 2, 3]), via: endpoint) { result in
                if case .success(let response) = result { #expect(response.body == [1, 2, 3]) }
                done()
            }
        }
    }

    @Test func aMalformedRequestsAnswerIsReadInSpiteOfUnreadInput() throws {
        let loop = try NativeLoop()
        let server = HTTPServer(loop: loop) { $0.respond(HTTPResponse(status: .ok)) }
        try server.listen(on: [.loopback(port: 0)])
        let address = try #require(server.addresses.first)
        let seen = Box("")
        let client = Shouter(seen) { server.close { loop.stop() } }
        loop.createConnection(
            to: .address(address), options: ConnectOptions(), protocolFactory: { client }, completion: { _ in })
        try loop.run()
        #expect(seen.value.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(client.error == nil, "no reset")
        loop.closeLoop()
    }
}

/// Sends something malformed and much behind it, then reads to the end.
final class Shouter: StreamProtocol {
    private let seen: Box<String>
    private let done: () -> Void
    private(set) var error: TransportError?

    init(_ seen: Box<String>, _ done: @escaping () -> Void) {
        self.seen = seen
        self.done = done
    }

    func connectionMade(_ transport: any StreamTransport) {
        transport.write(Array("nonsense\r\n".utf8) + [UInt8](repeating: 120, count: 500_000))
    }

    func dataReceived(_ data: Span<UInt8>) { seen.value += text(data) }

    func connectionLost(_ error: TransportError?) {
        self.error = error
        done()
    }
}
