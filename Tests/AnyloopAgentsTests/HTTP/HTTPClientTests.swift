import AnyloopAgents
import AnyloopCore
import AnyloopTesting
import HTTPTypes
import Testing

/// A client and a scripted server on one memory loop.
final class PoolStage {
    let loop = MemoryLoop()
    let client: HTTPClient
    /// What the server's connections have seen: "1 GET /".
    private(set) var seen: [String] = []
    private(set) var heads: [String] = []
    private var connections = 0

    /// `answer` gets the connection's number and the request's head; nil closes without a word.
    init(
        options change: (inout HTTPClientOptions) -> Void = { _ in },
        answer: @escaping (Int, String) -> String?
    ) throws {
        var options = HTTPClientOptions()
        options.decodesContent = false
        change(&options)
        loop.hosts = ["a": [.loopback(port: 0)], "b": [.loopback(port: 0)]]
        client = HTTPClient(loop: loop, options: options)
        for port: UInt16 in [80, 81] {
            _ = try loop.createServer(on: [.loopback(port: port)], options: ServerOptions()) { [weak self] in
                self?.connections += 1
                let number = self?.connections ?? 0
                return Scripted { [weak self] head in
                    self?.heads.append(head)
                    self?.seen.append("\(number) " + head.split(separator: " ").prefix(2).joined(separator: " "))
                    return answer(number, head)
                }
            }
        }
    }

    func fetch(
        _ path: String = "/", method: HTTPRequest.Method = .get, authority: String = "a", _ fields: HTTPFields = [:],
        body: HTTPClientBody = .none, limit: Int = 1000
    ) -> Box<String> {
        let result = Box("pending")
        client.fetch(
            HTTPRequest(method: method, scheme: "http", authority: authority, path: path, headerFields: fields),
            body: body, limit: limit
        ) {
            switch $0 {
            case .success(let response):
                result.value = "\(response.head.status.code) " + String(decoding: response.body, as: UTF8.self)
            case .failure(let error): result.value = "error \(error)"
            }
        }
        loop.runUntilIdle()
        return result
    }

    deinit {
        loop.closeLoop()
    }
}

/// Answers each head with what a closure says.
final class Scripted: StreamProtocol {
    private let answer: (String) -> String?
    private var transport: (any StreamTransport)?
    private var head = ""

    init(_ answer: @escaping (String) -> String?) { self.answer = answer }

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }

    func dataReceived(_ data: Span<UInt8>) {
        head += text(data)
        while let end = head.firstRange(of: "\r\n\r\n") {
            let one = String(head[..<end.upperBound])
            head = String(head[end.upperBound...])
            guard let reply = answer(one) else {
                transport?.close()
                return
            }
            if !reply.isEmpty { transport?.write(Array(reply.utf8)) }
        }
    }

    func connectionLost(_ error: TransportError?) { transport = nil }
}

private let okay = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

@Suite struct HTTPClientTests {
    @Test func reusesItsConnections() throws {
        let stage = try PoolStage { _, _ in okay }
        for _ in 0..<3 { #expect(stage.fetch().value == "200 hi") }
        #expect(stage.seen == ["1 GET /", "1 GET /", "1 GET /"])
        #expect(stage.client.idleConnectionCount == 1)
        #expect(stage.fetch(authority: "a:81").value == "200 hi")
        #expect(stage.client.connectionCount == 2)
    }

    @Test func aRequestInTheEndOfAnotherReusesItsConnection() throws {
        let stage = try PoolStage { _, _ in okay }
        let count = Box(0)
        func again() {
            let request = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/")
            stage.client.fetch(request) { _ in
                count.value += 1
                if count.value < 3 { again() }
            }
        }
        again()
        stage.loop.runUntilIdle()
        #expect(stage.seen.map { $0.first } == ["1", "1", "1"])
    }

    @Test func connectionsAndWaitersAreLimitedAndServedInOrder() throws {
        let stage = try PoolStage {
            $0.connectionsPerHost = 2
            $0.waitingLimit = 2
        } answer: { _, _ in
            ""
        }
        var results: [Box<String>] = []
        for index in 0..<5 { results.append(stage.fetch("/\(index)")) }
        #expect(stage.seen == ["1 GET /0", "2 GET /1"])
        #expect(results[3].value == "pending")
        #expect(results[4].value == "error more than 2 requests wait for a connection; raise waitingLimit")
    }

    @Test func waitersGoFirstComeFirstServed() throws {
        let stage = try PoolStage {
            $0.connectionsPerHost = 1
        } answer: { _, _ in
            okay
        }
        let order = Box<[String]>([])
        for index in 0..<4 {
            let request = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/\(index)")
            let task = stage.client.fetch(request) { _ in order.value.append("\(index)") }
            if index == 2 { task.cancel() }
        }
        stage.loop.runUntilIdle()
        #expect(order.value == ["2", "0", "1", "3"], "the cancelled one fails at once")
        #expect(stage.seen == ["1 GET /0", "1 GET /1", "1 GET /3"])
    }

    // RFC 9112 §9.3.1, RFC 9110 §9.2.2.
    @Test(arguments: [
        (HTTPRequest.Method.get, "200 hi"), (.put, "200 hi"), (.head, "200 "),
        (.post, "error the server closed the connection before the response was complete"),
    ])
    func onlyIdempotentRequestsAreRepeatedOnADeadPooledConnection(
        _ method: HTTPRequest.Method, _ result: String
    ) throws {
        let uses = Box(0)
        let stage = try PoolStage { number, _ in
            uses.value += 1
            return number == 1 && uses.value > 1 ? nil : okay
        }
        #expect(stage.fetch().value == "200 hi")
        let fetched = stage.fetch(method: method, body: method == .put ? .bytes([]) : .none)
        #expect(fetched.value == result)
        #expect(stage.seen.count == (method == .post ? 2 : 3))
    }

    @Test func aFreshConnectionThatDiesIsNotTriedAgain() throws {
        let stage = try PoolStage { _, _ in nil }
        #expect(stage.fetch().value.hasPrefix("error the server closed"))
        #expect(stage.seen.count == 1)
    }

    @Test func aDeadConnectionThatAnsweredInPartIsNotTriedAgain() throws {
        let uses = Box(0)
        let stage = try PoolStage { _, _ in
            uses.value += 1
            return uses.value == 1 ? okay : "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
        }
        _ = stage.fetch()
        let result = stage.fetch()
        #expect(result.value == "pending")
        stage.loop.advance(by: .seconds(60))
        #expect(result.value == "error the response's body took longer than 60.0 seconds")
        #expect(stage.seen.count == 2)
    }

    @Test func aRefusedConnectionIsAnError() throws {
        let stage = try PoolStage { _, _ in okay }
        #expect(stage.fetch(authority: "a:9").value.hasPrefix("error cannot connect:"))
        #expect(stage.client.connectionCount == 0)
    }

    @Test(arguments: ["ftp", ""])
    func otherSchemesAreRefused(_ scheme: String) throws {
        let stage = try PoolStage { _, _ in okay }
        let result = Box("")
        stage.client.fetch(HTTPRequest(method: .get, scheme: scheme, authority: "a", path: "/")) {
            if case .failure(let error) = $0 { result.value = error.description }
        }
        stage.loop.runUntilIdle()
        #expect(result.value.contains("scheme"))
    }

    @Test func pipelinesOnOneConnectionWhereThatIsAskedFor() throws {
        let stage = try PoolStage {
            $0.connectionsPerHost = 1
            $0.connection.pipelineDepth = 3
        } answer: { _, _ in
            ""
        }
        for index in 0..<4 { _ = stage.fetch("/\(index)") }
        #expect(stage.seen == ["1 GET /0", "1 GET /1", "1 GET /2"])
        let posts = try PoolStage {
            $0.connectionsPerHost = 1
            $0.connection.pipelineDepth = 3
        } answer: { _, _ in
            ""
        }
        for _ in 0..<2 { _ = posts.fetch(method: .post) }
        #expect(posts.seen.count == 1, "RFC 9112 §9.3.2: not behind a request that cannot be repeated")
    }

    // MARK: Redirects

    private static func redirecting(_ status: Int, to location: String) -> (Int, String) -> String? {
        { _, head in
            head.contains(" /old ")
                ? "HTTP/1.1 \(status) Moved\r\nLocation: \(location)\r\nContent-Length: 3\r\n\r\nold" : okay
        }
    }

    // RFC 9110 §15.4.
    @Test(arguments: [
        (301, HTTPRequest.Method.post, "GET"), (302, .post, "GET"), (303, .post, "GET"), (303, .put, "GET"),
        (303, .head, "HEAD"), (301, .put, "PUT"), (307, .post, "POST"), (308, .post, "POST"), (301, .get, "GET"),
    ])
    func redirectsChangeTheMethodAsTheRFCSays(_ status: Int, _ method: HTTPRequest.Method, _ next: String) throws {
        let stage = try PoolStage(answer: Self.redirecting(status, to: "new"))
        _ = stage.fetch("/old", method: method, [.contentType: "text/plain"])
        #expect(stage.seen.last?.hasSuffix("\(next) /new") == true)
        #expect(stage.heads.last?.contains("Content-Type") == (next == method.rawValue))
    }

    @Test func credentialsStayWithTheirOrigin() throws {
        for (location, keeps) in [("/new", true), ("http://b/new", false), ("http://a:81/new", false)] {
            let stage = try PoolStage(answer: Self.redirecting(302, to: location))
            #expect(stage.fetch("/old", [.authorization: "secret", .cookie: "c=1", .accept: "*/*"]).value == "200 hi")
            #expect(stage.heads.last?.contains("secret") == keeps)
            #expect(stage.heads.last?.contains("c=1") == keeps)
            #expect(stage.heads.last?.contains("*/*") == true)
        }
    }

    @Test(arguments: [(2, "200 hi"), (1, "error more than 1 redirects"), (0, "302 ")])
    func redirectsAreLimited(_ limit: Int, _ result: String) throws {
        let stage = try PoolStage {
            $0.redirectLimit = limit
        } answer: { _, head in
            if head.contains(" /2 ") { return okay }
            let next = head.contains(" /1 ") ? "/2" : "/1"
            return "HTTP/1.1 302 Found\r\nLocation: \(next)\r\nContent-Length: 0\r\n\r\n"
        }
        #expect(stage.fetch().value == result)
    }

    @Test func aRedirectOutOfHTTPIsAnError() throws {
        let stage = try PoolStage(answer: Self.redirecting(302, to: "ftp://b/"))
        #expect(stage.fetch("/old").value.hasPrefix("error redirected to 'ftp://b/'"))
    }

    @Test(arguments: [(3, 1), (2, 2)])
    func aRedirectsBodyIsDrainedUpToALimit(_ limit: Int, _ connection: Int) throws {
        let stage = try PoolStage {
            $0.redirectBodyLimit = limit
        } answer: {
            Self.redirecting(302, to: "/new")($0, $1)
        }
        #expect(stage.fetch("/old").value == "200 hi")
        #expect(stage.seen.last == "\(connection) GET /new")
    }

    // MARK: Limits of time and size

    @Test func theTotalTimeIsLimited() throws {
        let stage = try PoolStage {
            $0.totalTimeout = .seconds(3)
        } answer: { _, _ in
            ""
        }
        let result = stage.fetch()
        stage.loop.advance(by: .milliseconds(2999))
        #expect(result.value == "pending")
        stage.loop.advance(by: .milliseconds(1))
        #expect(result.value == "error the request took longer than 3.0 seconds")
        #expect(stage.client.connectionCount == 0)
    }

    @Test(arguments: [(2, "200 hi"), (1, "error the body is greater than 1 bytes; raise the limit")])
    func collectingHasALimit(_ limit: Int, _ result: String) throws {
        let stage = try PoolStage { _, _ in okay }
        #expect(stage.fetch(limit: limit).value == result)
    }

    // MARK: Content codings, against our own server

    @Test(arguments: [(100_000, true), (99_999, false)])
    func aGzippedResponseIsDecodedWithinTheLimit(_ limit: Int, _ fits: Bool) throws {
        let stage = try PoolStage {
            $0.decodesContent = true
            $0.decodedBodyLimit = limit
        } answer: { _, _ in
            ""
        }
        let size = Box(-1)
        try stage.serve(gzipOf100000Zeros, coding: "gzip")
        let request = HTTPRequest(method: .get, scheme: "http", authority: "a:90", path: "/")
        stage.client.fetch(request) { result in
            if case .success(let response) = result {
                #expect(response.head.headerFields[.contentEncoding] == nil)
                #expect(response.body.allSatisfy { $0 == 0 })
                size.value = response.body.count
            } else if case .failure(.bodyTooLarge(limit)) = result {
                size.value = -2
            }
        }
        stage.loop.runUntilIdle()
        #expect(size.value == (fits ? 100_000 : -2))
    }

    @Test(arguments: [0, 20, 117])
    func aDamagedCodingIsAnError(_ length: Int) throws {
        let stage = try PoolStage {
            $0.decodesContent = true
        } answer: { _, _ in
            ""
        }
        var bytes = Array(gzipOf100000Zeros.prefix(length))
        if length == 0 { bytes = Array("nonsense".utf8) }
        try stage.serve(bytes, coding: "gzip")
        let failed = Box(false)
        stage.client.fetch(HTTPRequest(method: .get, scheme: "http", authority: "a:90", path: "/")) {
            if case .failure(.badContentCoding) = $0 { failed.value = true }
        }
        stage.loop.runUntilIdle()
        #expect(failed.value)
    }

    @Test func anAbsoluteProxyGetsEverything() throws {
        let stage = try PoolStage {
            $0.proxy = .address(.loopback(port: 81))
        } answer: { _, _ in
            okay
        }
        #expect(stage.fetch("/x", authority: "nowhere.example").value == "200 hi")
        #expect(stage.seen == ["1 GET http://nowhere.example/x"])
    }
}

extension PoolStage {
    /// Serves `bytes` with `Content-Encoding` on port 90.
    func serve(_ bytes: [UInt8], coding: String) throws {
        let service = HTTPService { exchange in
            #expect(exchange.request.headerFields[.acceptEncoding] == "gzip, deflate")
            exchange.respond(HTTPResponse(status: .ok, headerFields: [.contentEncoding: coding]), body: bytes)
        }
        _ = try loop.createServer(on: [.loopback(port: 90)], options: ServerOptions()) { service.makeProtocol() }
    }
}

/// `gzip` of 100 000 NUL bytes, by Python.
let gzipOf100000Zeros: [UInt8] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 237, 193, 49, 1, 0, 0,
    0, 194, 160, 245, 79, 109, 13, 15, 160, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 87, 3, 125, 149, 17, 212,
    160, 134, 1, 0,
]
