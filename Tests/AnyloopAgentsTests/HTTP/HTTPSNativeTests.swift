import AnyloopAgents
import AnyloopCore
import AnyloopNativeLoop
import AnyloopTLS
import Foundation
import HTTPTypes
import NIOBridge
import Testing

/// HTTPS over real sockets, on each of our loops.
@Suite struct HTTPSNativeTests {
    enum Kind: CaseIterable {
        case native, compat, nio

        func make() throws -> any Loop {
            switch self {
            case .native: try NativeLoop()
            case .compat: try CompatLoop()
            case .nio: try NIOLoop()
            }
        }
    }

    /// Runs `body` with an HTTPS server for `localhost`; `done` ends it.
    private func run(
        _ kind: Kind = .native, handler: @escaping HTTPService.Handler,
        _ body: (any Loop, HTTPClient, SocketAddress, TestIdentity, @escaping () -> Void) throws -> Void
    ) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let certificate = try TestIdentity("localhost")
        let server = HTTPServer(loop: loop, handler: handler)
        try server.listen(on: [.loopback(port: 0)], tls: try certificate.server())
        let address = try #require(server.addresses.first)
        var options = HTTPClientOptions()
        options.tls = try certificate.client()
        let client = HTTPClient(loop: loop, options: options)
        let guardTimer = loop.callLater(.seconds(60)) {
            Issue.record("the test takes too long")
            loop.stop()
        }
        try body(loop, client, address, certificate) {
            client.close()
            server.close(grace: .seconds(5)) { loop.stop() }
        }
        try loop.run()
        guardTimer.cancel()
        #expect(server.service.connectionCount == 0)
    }

    private static func request(
        _ method: HTTPRequest.Method = .get, _ path: String = "/", _ fields: HTTPFields = [:]
    ) -> HTTPRequest {
        HTTPRequest(method: method, scheme: "https", authority: "localhost", path: path, headerFields: fields)
    }

    @Test(arguments: Kind.allCases, [1, 16384, 16385, 5_000_000])
    func bodiesGoBothWays(_ kind: Kind, _ size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        try run(kind) {
            $0.echo()
        } _: { _, client, address, _, done in
            client.fetch(Self.request(.post), body: .bytes(bytes), via: .address(address)) { result in
                switch result {
                case .success(let response): #expect(response.body == bytes)
                case .failure(let error): Issue.record("\(error)")
                }
                done()
            }
        }
    }

    @Test(arguments: Kind.allCases) func filesAndTheirRanges(_ kind: Kind) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("anyloop-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let bytes = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 9) }
        try Data(bytes).write(to: folder.appendingPathComponent("a.bin"))
        let files = try StaticFiles(root: folder.path)
        let ranges: [(field: String?, expected: Range<Int>)] = [
            (nil, 0..<1_500_000), ("bytes=0-0", 0..<1), ("bytes=1000000-", 1_000_000..<1_500_000),
            ("bytes=-5", 1_499_995..<1_500_000), ("bytes=16000-17000", 16000..<17001),
        ]
        try run(kind) {
            files.handle($0)
        } _: { _, client, address, _, done in
            let left = Box(ranges.count)
            for (field, expected) in ranges {
                let fields: HTTPFields = field.map { [.range: $0] } ?? [:]
                client.fetch(Self.request(.get, "/a.bin", fields), via: .address(address)) { result in
                    switch result {
                    case .success(let response):
                        #expect(response.head.status == (field == nil ? .ok : .partialContent))
                        #expect(response.body == Array(bytes[expected]), "\(field ?? "all")")
                    case .failure(let error): Issue.record("\(error)")
                    }
                    left.value -= 1
                    if left.value == 0 { done() }
                }
            }
        }
    }

    // RFC 9112 §9.6, without half-close: the close itself drops what still comes.
    @Test(arguments: Kind.allCases) func aRefusalIsReadInSpiteOfUnreadInput(_ kind: Kind) throws {
        let seen = Box("")
        let ended = Box<Shouter?>(nil)
        try run(kind) {
            $0.respond(HTTPResponse(status: .ok))
        } _: { loop, _, address, certificate, done in
            let shouter = Shouter(seen, done)
            ended.value = shouter
            loop.createConnection(
                to: .address(address), tls: try certificate.client(), serverName: "localhost",
                protocolFactory: { shouter }, completion: { _ in })
        }
        #expect(seen.value.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(ended.value?.error == nil, "no reset")
    }

    /// A megabyte through a tunnel, and through one inside of another TLS.
    @Test(arguments: Kind.allCases, [false, true]) func tunnels(_ kind: Kind, isSecure: Bool) throws {
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        let proxies = Box<[TestProxy]>([])
        try run(kind) { exchange in
            exchange.collectBody(limit: 2_000_000) { body, _ in
                exchange.respond(HTTPResponse(status: .ok), body: body)
            }
        } _: { loop, _, address, certificate, done in
            let tls = isSecure ? try certificate.server() : nil
            let proxy = try TestProxy(on: loop, at: .loopback(port: 0), tls: tls) { .address(address) }
            proxies.value.append(proxy)
            var options = HTTPClientOptions()
            options.tls = try certificate.client()
            options.proxy = .host("localhost", port: proxy.server.addresses.first?.port ?? 0)
            options.proxyOptions.isSecure = isSecure
            let client = HTTPClient(loop: loop, options: options)
            client.fetch(Self.request(.post), body: .bytes(bytes)) { result in
                switch result {
                case .success(let response): #expect(response.body == bytes)
                case .failure(let error): Issue.record("\(error)")
                }
                client.close()
                proxy.server.close(completion: done)
            }
        }
        #expect(proxies.value.first?.seen == ["CONNECT localhost:443"])
    }

    @Test func anUpgradeKeepsTheTLS() throws {
        let answer = Box("")
        let handler: HTTPService.Handler = { exchange in
            let fields: HTTPFields = [.upgrade: "echo", .connection: "upgrade"]
            exchange.takeOver(with: HTTPResponse(status: .switchingProtocols, headerFields: fields)) {
                transport, _ in
                let echo = EchoProtocol()
                echo.connectionMade(transport)
                return echo
            }
        }
        try run(handler: handler) { _, client, address, _, done in
            let fields: HTTPFields = [.upgrade: "echo", .connection: "upgrade"]
            let task = HTTPClientTask(Self.request(.get, "/", fields), via: .address(address))
            task.onSwitch = { _, transport, _ in
                #expect(transport.tls?.alpn == "http/1.1")
                transport.write(Array("some text".utf8))
                return Listener {
                    answer.value += $0
                    guard answer.value == "some text" else { return }
                    transport.close()
                    done()
                }
            }
            task.onError = { error in
                Issue.record("\(error)")
                done()
            }
            client.start(task)
        }
        #expect(answer.value == "some text")
    }
}

/// Gives what comes to a closure.
private final class Listener: StreamProtocol {
    private let heard: (String) -> Void

    init(_ heard: @escaping (String) -> Void) { self.heard = heard }

    func dataReceived(_ data: Span<UInt8>) { heard(text(data)) }
}
