import AnyloopAgents
import AnyloopCore
import AnyloopTLS
import AnyloopTesting
import AnyloopWire
import HTTPTypes
import Testing

/// HTTPS over memory: client, server and the certificates between them.
@Suite struct HTTPSTests {
    // MARK: What both sides know

    @Test func bothSidesKnowThatItIsTLS() throws {
        let handled = Box<TLSInfo?>(nil)
        let scheme = Box("")
        let stage = try SecureStage { exchange in
            handled.value = exchange.tls
            scheme.value = exchange.request.scheme ?? ""
            exchange.respond(HTTPResponse(status: .ok), body: Array("hi".utf8))
        }
        #expect(stage.fetch().value == "200 hi")
        #expect(scheme.value == "https")
        let info = try #require(handled.value)
        #expect(info.version == "TLSv1.3")
        #expect(info.alpn == "http/1.1")
        #expect(info.serverName == "a")
        #expect(info.peerCertificates == [])
        let seen = try #require(stage.seen.first)
        #expect(seen.alpn == "http/1.1")
        #expect(seen.peerCertificates.count == 1)
        #expect(stage.client.connectionsMade == 1)
        #expect(stage.fetch().value == "200 hi")
        #expect(stage.client.connectionsMade == 1, "the connection is used again")
        #expect(stage.failures.isEmpty)
    }

    @Test func theSchemeIsTheTargetsOrElseTheConnections() throws {
        let schemes = Box<[String?]>([])
        let kept = Box<[HTTPServerExchange]>([])
        let stage = try SecureStage(options: {
            // Absolute targets: the server is asked as a proxy behind TLS would be.
            $0.proxy = .host("a", port: 443)
            $0.proxyOptions.isSecure = true
        }) { exchange in
            if exchange.head.target == "http://b/later" {
                kept.value.append(exchange)
            } else {
                schemes.value.append(exchange.request.scheme)
            }
            exchange.respond(HTTPResponse(status: .ok))
        }
        #expect(stage.fetch(scheme: "http", authority: "b").value == "200 ")
        #expect(stage.fetch("/later", scheme: "http", authority: "b").value == "200 ")
        #expect(schemes.value == ["http"])
        #expect(kept.value.first?.isOver == true)
        #expect(kept.value.first?.request.scheme == "http")
        let direct = try SecureStage { exchange in
            kept.value.append(exchange)
            exchange.respond(HTTPResponse(status: .ok))
        }
        #expect(direct.fetch().value == "200 ")
        #expect(kept.value.last?.isOver == true)
        #expect(kept.value.last?.request.scheme == "https", "also when first asked for after the end")
    }

    @Test func plainHTTPHasNoneOfIt() throws {
        let stage = ServerStage { exchange in
            #expect(exchange.tls == nil)
            #expect(exchange.request.scheme == "http")
            exchange.respond(HTTPResponse(status: .ok))
        }
        stage.send(get)
        #expect(stage.statuses() == [200])
    }

    @Test func aTaskIsToldAsWell() async throws {
        let loop = MemoryLoop()
        let certificate = try TestIdentity("a")
        let version = Box("")
        let service = HTTPService { _, _, response in
            let info = await response.tls
            try await response.respond(HTTPResponse(status: .ok), body: Array((info?.version ?? "none").utf8))
        }
        let server = HTTPServer(loop: loop, service: service)
        try server.listen(on: [.loopback(port: 443)], tls: try certificate.server())
        var options = HTTPClientOptions()
        options.tls = try certificate.client()
        loop.hosts["a"] = [.loopback(port: 0)]
        let client = HTTPClient(loop: loop, options: options)
        client.fetch(HTTPRequest(method: .get, scheme: "https", authority: "a", path: "/")) {
            if case .success(let response) = $0 { version.value = String(decoding: response.body, as: UTF8.self) }
        }
        loop.runUntilIdle()
        #expect(version.value == "TLSv1.3")
        loop.closeLoop()
    }

    @Test func sessionsAreResumed() throws {
        let stage = try SecureStage { exchange in
            exchange.respond(HTTPResponse(status: .ok, headerFields: [.connection: "close"]))
        }
        for _ in 0..<3 { #expect(stage.fetch().value == "200 ") }
        #expect(stage.seen.map(\.isResumed) == [false, true, true])
        #expect(stage.fetch(authority: "www.example.org").value == "200 ")
        #expect(stage.seen.last?.isResumed == false, "another name is another server")
    }

    // MARK: Names and routes

    @Test(arguments: [("a:443", "a"), ("A", "A"), ("a", "a")])
    func theStandardPortIs443(_ authority: String, _ host: String) throws {
        let stage = try SecureStage {
            $0.respond(HTTPResponse(status: .ok), body: Array(($0.request.authority ?? "").utf8))
        }
        #expect(stage.fetch(authority: authority).value == "200 \(authority)", "Host is what the request says")
    }

    @Test func aDotAtTheEndIsTheResolversOnly() throws {
        let stage = try SecureStage()
        stage.loop.hosts["a."] = [.loopback(port: 0)]
        #expect(stage.fetch(authority: "a.").value == "200 hello")
        #expect(stage.seen.first?.serverName == "a")
    }

    @Test func connectionsAreKeptApartByNameAndScheme() throws {
        let stage = try SecureStage()
        let plain = HTTPServer(loop: stage.loop) { $0.respond(HTTPResponse(status: .ok), body: Array("plain".utf8)) }
        try plain.listen(on: [.loopback(port: 80)])
        #expect(stage.fetch().value == "200 hello")
        #expect(stage.fetch(scheme: "http").value == "200 plain")
        #expect(stage.fetch(authority: "www.example.org").value == "200 hello")
        #expect(stage.client.connectionCount == 3)
        let via = Endpoint.address(.loopback(port: 443))
        let results = Box<[String]>([])
        for name in ["a", "www.example.org", "localhost"] {
            let request = HTTPRequest(method: .get, scheme: "https", authority: name, path: "/")
            stage.client.fetch(request, via: via) { result in
                if case .success(let response) = result { results.value.append("\(response.head.status.code)") }
            }
        }
        stage.loop.runUntilIdle()
        #expect(results.value == ["200", "200", "200"])
        #expect(stage.client.connectionCount == 6, "one for each name, although the endpoint is the same")
    }

    // MARK: What is refused

    @Test func aCertificateForAnotherNameIsRefused() throws {
        let stage = try SecureStage()
        let result = stage.fetch(authority: "b").value
        #expect(result.hasPrefix("error cannot connect: "))
        #expect(result.contains("'b'"))
        #expect(stage.failures.count == 1, "told once")
        #expect(stage.client.connectionCount == 0)
        #expect(stage.fetch().value == "200 hello", "the server is unharmed")
    }

    @Test func theSystemsRootsAreAskedUnlessOthersAreGiven() throws {
        let stage = try SecureStage(options: { $0.tls = nil })
        let fault = Box<TLSError.Kind?>(nil)
        stage.client.fetch(HTTPRequest(method: .get, scheme: "https", authority: "a", path: "/")) {
            if case .failure(let error) = $0 { fault.value = error.tlsError?.kind }
        }
        stage.loop.runUntilIdle()
        #expect(fault.value == .certificate(.selfSigned))
    }

    @Test func aProtocolThatIsNotSpokenIsRefused() throws {
        let stage = try SecureStage()
        let other = try TestIdentity("h2.test")
        stage.loop.hosts["h2.test"] = [.loopback(port: 0)]
        let client = HTTPClient(loop: stage.loop, options: try Self.options(trusting: other, ["h2", "http/1.1"]))
        let server = try stage.loop.createServer(
            on: [.loopback(port: 8443)], tls: try other.server(protocols: ["h2"])
        ) { Scripted { _ in nil } }
        let text = Box("")
        client.fetch(HTTPRequest(method: .get, scheme: "https", authority: "h2.test:8443", path: "/")) {
            if case .failure(let error) = $0 { text.value = "\(error)" }
        }
        stage.loop.runUntilIdle()
        #expect(text.value.contains("'h2', which is not spoken here"))
        #expect(client.connectionCount == 0)
        server.close()
    }

    private static func options(trusting other: TestIdentity, _ protocols: [String]) throws -> HTTPClientOptions {
        var options = HTTPClientOptions()
        options.tls = try other.client(protocols: protocols)
        return options
    }

    @Test(arguments: ["h2", "spdy/3"]) func aServerOffersOnlyWhatItSpeaks(_ name: String) throws {
        let stage = try SecureStage()
        let context = try stage.certificate.server(protocols: [name, "http/1.1"])
        #expect(throws: TransportError.self) { try stage.server.listen(on: [.loopback(port: 9443)], tls: context) }
        let right = try stage.certificate.server(protocols: HTTPServer.applicationProtocols)
        try stage.server.listen(on: [.loopback(port: 9443)], tls: right)
        #expect(stage.fetch(authority: "a:9443").value == "200 hello")
        #expect(stage.seen.last?.alpn == "http/1.1")
    }

    @Test func clientCertificatesReachTheHandler() throws {
        let ada = try TestIdentity("ada")
        let seen = Box<[[UInt8]]>([])
        let stage = try SecureStage(clients: .required(ada.trust), own: ada.identity) {
            seen.value = $0.tls?.peerCertificates ?? []
            $0.respond(HTTPResponse(status: .ok))
        }
        #expect(stage.fetch().value == "200 ")
        #expect(seen.value.count == 1)
        let without = try SecureStage(clients: .required(ada.trust))
        let result = without.fetch().value
        #expect(result.hasPrefix("error "))
        #expect(result.contains("certificate_required"))
        #expect(without.failures.count == 1)
        let requested = try SecureStage(clients: .requested(ada.trust))
        #expect(requested.fetch().value == "200 hello")
    }

    @Test func plainHTTPOnTheTLSPortIsToldSo() throws {
        let stage = try SecureStage()
        #expect(stage.fetch(scheme: "http", authority: "a:443").value.hasPrefix("400 400 Bad Request: a plain HTTP"))
        #expect(stage.failures.count == 1)
        if case .tls(let error)? = stage.failures.first { #expect(error.kind == .plainText) }
        #expect(stage.fetch().value == "200 hello")
    }

    // MARK: Endings

    // RFC 9112 §9.8: only close_notify says that a body without a length is complete.
    @Test(arguments: [true, false]) func aBodyUntilTheCloseNeedsCloseNotify(isComplete: Bool) throws {
        let stage = try SecureStage()
        _ = try stage.loop.createServer(on: [.loopback(port: 8443)], tls: stage.source) {
            Ender(isComplete: isComplete)
        }
        let result = stage.fetch(authority: "a:8443").value
        if isComplete {
            #expect(result == "200 hi")
        } else {
            #expect(result.hasPrefix("error the connection was lost: "))
            #expect(result.contains("close_notify"))
        }
    }

    // RFC 9112 §9.3.1: many servers leave idle connections without a word, and without close_notify.
    @Test func aPooledConnectionThatWasLeftIsReplaced() throws {
        let stage = try SecureStage()
        let uses = Box(0)
        _ = try stage.loop.createServer(on: [.loopback(port: 8443)], tls: stage.source) {
            Leaver {
                uses.value += 1
                return uses.value != 2
            }
        }
        #expect(stage.fetch(authority: "a:8443").value == "200 hi")
        #expect(stage.fetch(authority: "a:8443").value == "200 hi")
        #expect(uses.value == 3)
        #expect(stage.client.connectionsMade == 2)
    }

    @Test func closingTheServerSaysCloseNotify() throws {
        let stage = try SecureStage()
        #expect(stage.fetch().value == "200 hello")
        let ended = Box(false)
        stage.server.close { ended.value = true }
        stage.loop.runUntilIdle()
        #expect(ended.value)
        #expect(stage.client.connectionCount == 0)
        #expect(stage.fetch().value.hasPrefix("error cannot connect"))
    }

    @Test func aRenewedCertificateIsForNewConnections() throws {
        let stage = try SecureStage { exchange in
            let closes = exchange.request.path == "/close"
            exchange.respond(HTTPResponse(status: .ok, headerFields: closes ? [.connection: "close"] : [:]))
        }
        #expect(stage.fetch().value == "200 ")
        stage.source.current = try TestIdentity("a").server()
        #expect(stage.fetch("/close").value == "200 ", "the old connection lives on")
        #expect(stage.fetch().value.hasPrefix("error cannot connect"), "nobody trusts the new one")
    }

    // MARK: Redirects

    @Test func redirectsFromAndToTheClear() throws {
        let handler: HTTPService.Handler = { exchange in
            let has = exchange.request.headerFields.contains(.authorization)
            let there = exchange.request.path == "/there"
            let target = exchange.tls == nil ? "https://a/there" : "http://a/there"
            exchange.respond(
                there
                    ? HTTPResponse(status: .ok)
                    : HTTPResponse(status: .found, headerFields: [.location: target]),
                body: Array((there ? "\(exchange.request.scheme ?? "") \(has)" : "").utf8))
        }
        for follows in [false, true] {
            let stage = try SecureStage {
                $0.followsRedirectsToPlainHTTP = follows
            } handler: {
                try handler($0)
            }
            let plain = HTTPServer(loop: stage.loop, handler: handler)
            try plain.listen(on: [.loopback(port: 80)])
            #expect(stage.fetch(scheme: "http", [.authorization: "x"]).value == "200 https false")
            let back = stage.fetch([.authorization: "x"])
            if follows {
                #expect(back.value == "200 http false")
            } else {
                #expect(back.value.hasPrefix("error redirected from https to 'http://a/there'"))
            }
        }
    }
}

extension SecureStage {
    fileprivate func fetch(_ fields: HTTPFields) -> Box<String> { fetch("/", fields) }
}

/// Answers while a closure says so, then goes without `close_notify`.
private final class Leaver: StreamProtocol {
    private let stays: () -> Bool
    private var transport: (any StreamTransport)?

    init(_ stays: @escaping () -> Bool) { self.stays = stays }

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }

    func dataReceived(_ data: Span<UInt8>) {
        guard stays() else {
            transport?.abort()
            return
        }
        transport?.write(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".utf8))
    }
}

/// Answers with a body that lasts until the close, and closes with `close_notify` or without.
private final class Ender: StreamProtocol {
    private let isComplete: Bool
    private var transport: (any StreamTransport)?

    init(isComplete: Bool) { self.isComplete = isComplete }

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }

    func dataReceived(_ data: Span<UInt8>) {
        transport?.write(Array("HTTP/1.1 200 OK\r\n\r\nhi".utf8))
        if isComplete {
            transport?.close()
        } else {
            // Later, so that what was written is on its way.
            transport?.loop.callSoon { [self] in transport?.abort() }
        }
    }
}
