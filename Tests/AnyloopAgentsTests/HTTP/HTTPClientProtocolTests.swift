import AnyloopAgents
import AnyloopCore
import AnyloopTesting
import AnyloopWire
import HTTPTypes
import Testing

/// One client connection over memory.
final class ClientStage {
    let loop = MemoryLoop()
    let connection: HTTPClientProtocol
    let transport: MemoryTransport
    let peer: MemoryPeer
    private(set) var log: [String] = []

    init(_ options: HTTPConnectionOptions = HTTPConnectionOptions()) {
        connection = HTTPClientProtocol(options: options)
        (transport, peer) = MemoryStream.pair(on: loop, connection)
        loop.runUntilIdle()
    }

    /// Starts a request whose callbacks write to `log`.
    @discardableResult
    func start(
        _ method: HTTPRequest.Method = .get, _ fields: HTTPFields = [:], body: HTTPClientBody = .none,
        _ change: (HTTPClientExchange) -> Void = { _ in }
    ) throws -> HTTPClientExchange {
        let request = HTTPRequest(
            method: method, scheme: "http", authority: "a", path: method == .connect ? nil : "/", headerFields: fields)
        let exchange = HTTPClientExchange(request, body: body)
        exchange.onInformational = { [weak self] in self?.log.append("interim \($0.status.code)") }
        exchange.onResponse = { [weak self] in self?.log.append("head \($0.status.code)") }
        exchange.onBody = { [weak self] in self?.log.append("body " + text($0)) }
        exchange.onEnd = { [weak self] in self?.log.append($0 == nil ? "end" : "end+trailers") }
        exchange.onError = { [weak self] in self?.log.append("error \($0)") }
        exchange.onBodyWanted = { [weak self] in self?.log.append("wanted") }
        change(exchange)
        try connection.start(exchange)
        loop.runUntilIdle()
        return exchange
    }

    func answer(_ text: String) {
        peer.send(text)
        loop.runUntilIdle()
    }

    func finish() {
        peer.finish()
        loop.runUntilIdle()
    }

    func sent() -> String {
        String(decoding: peer.takeReceived(), as: UTF8.self)
    }

    deinit {
        loop.closeLoop()
    }
}

func text(_ bytes: Span<UInt8>) -> String {
    String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self)
}

@Suite struct HTTPClientProtocolTests {
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

    @Test func sendsARequestAndIsReadyAgain() throws {
        let stage = ClientStage()
        try stage.start(.get, [.accept: "*/*"])
        #expect(stage.sent() == "GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n")
        #expect(!stage.connection.isReady)
        stage.answer(ok)
        #expect(stage.log == ["head 200", "body hi", "end"])
        #expect(stage.connection.isReady)
    }

    @Test(arguments: [
        (HTTPRequest.Method.post, HTTPClientBody.none, "Content-Length: 0\r\n\r\n"),
        (.get, .none, "\r\n"),
        (.post, .bytes(Array("abc".utf8)), "Content-Length: 3\r\n\r\nabc"),
        (.post, .stream(length: 3), "Content-Length: 3\r\n\r\n"),
        (.post, .stream(length: nil), "Transfer-Encoding: chunked\r\n\r\n"),
    ])
    func framesTheBody(_ method: HTTPRequest.Method, _ body: HTTPClientBody, _ rest: String) throws {
        let stage = ClientStage()
        try stage.start(method, [.contentLength: "99", .transferEncoding: "x", .expect: "x"], body: body)
        let expect = if case .none = body { "" } else { "Expect: x\r\n" }
        #expect(stage.sent() == "\(method.rawValue) / HTTP/1.1\r\nHost: a\r\n\(expect)\(rest)")
    }

    @Test func streamsABodyInChunksWithTrailers() throws {
        let stage = ClientStage()
        let exchange = try stage.start(.post, body: .stream(length: nil))
        #expect(stage.log == ["wanted"])
        try exchange.write(Array("hello".utf8))
        try exchange.finish(trailers: [.eTag: "x"])
        #expect(stage.sent().hasSuffix("\r\n\r\n5\r\nhello\r\n0\r\nETag: x\r\n\r\n"))
    }

    @Test(arguments: [2, 4])
    func aBodyOfAnotherLengthThanNamedIsRefused(_ size: Int) throws {
        let stage = ClientStage()
        let exchange = try stage.start(.post, body: .stream(length: 3))
        #expect(throws: HTTPClientError.self) {
            try exchange.write([UInt8](repeating: 1, count: size))
            try exchange.finish()
        }
    }

    // Nothing may end the request line early.
    @Test(arguments: ["/a b", "/a\r\nX: y", "a", "", "/a#b", "/ä"])
    func anUnfitPathIsRefused(_ path: String) {
        let stage = ClientStage()
        let request = HTTPRequest(method: .get, scheme: "http", authority: "a", path: path)
        #expect(throws: HTTPClientError.self) { try stage.connection.start(HTTPClientExchange(request)) }
        #expect(stage.sent() == "")
        #expect(stage.connection.isReady)
    }

    @Test func aProxyGetsTheAbsoluteForm() throws {
        var options = HTTPConnectionOptions()
        options.isProxied = true
        let stage = ClientStage(options)
        try stage.start()
        #expect(stage.sent() == "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n")
    }

    // RFC 9112 §6.3.
    @Test func aResponseMayLastUntilTheClose() throws {
        let stage = ClientStage()
        try stage.start()
        stage.answer("HTTP/1.1 200 OK\r\n\r\nhi")
        stage.finish()
        #expect(stage.log == ["head 200", "body hi", "end"])
        #expect(stage.transport.isClosing)
    }

    @Test func aHeadResponseHasNoBody() throws {
        let stage = ClientStage()
        try stage.start(.head)
        stage.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        #expect(stage.log == ["head 200", "end"])
        #expect(stage.connection.isReady)
    }

    @Test func trailersComeWithTheEnd() throws {
        let stage = ClientStage()
        try stage.start()
        stage.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n")
        #expect(stage.log == ["head 200", "body hi", "end+trailers"])
    }

    // MARK: 1xx and early responses

    @Test func theBodyIsHeldFor100() throws {
        let stage = ClientStage()
        try stage.start(.post, [.expect: "100-continue"], body: .bytes([65, 66]))
        #expect(stage.sent().hasSuffix("Content-Length: 2\r\n\r\n"))
        stage.answer("HTTP/1.1 100 Continue\r\n\r\n")
        #expect(stage.sent() == "AB")
        stage.answer("HTTP/1.1 103 Early Hints\r\n\r\n" + ok)
        #expect(stage.log == ["interim 100", "interim 103", "head 200", "body hi", "end"])
        #expect(stage.connection.isReady)
    }

    @Test func theBodyGoesWithout100AfterAWhile() throws {
        let stage = ClientStage()
        try stage.start(.post, [.expect: "100-continue"], body: .bytes([65, 66]))
        _ = stage.sent()
        stage.loop.advance(by: .milliseconds(999))
        #expect(stage.sent() == "")
        stage.loop.advance(by: .milliseconds(1))
        #expect(stage.sent() == "AB")
    }

    @Test func aFinalStatusInsteadOf100StopsTheBody() throws {
        let stage = ClientStage()
        let exchange = try stage.start(.post, [.expect: "100-continue"], body: .bytes([65, 66]))
        _ = stage.sent()
        stage.answer("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
        #expect(stage.log == ["head 417", "end"])
        #expect(exchange.isRequestStopped)
        #expect(stage.sent() == "")
        #expect(stage.transport.isClosing, "the promised body never came")
    }

    // RFC 9112 §9.5.
    @Test func anEarlyErrorStopsALargeBody() throws {
        let stage = ClientStage()
        stage.peer.stopReading(window: 1000)
        let exchange = try stage.start(.post, body: .bytes([UInt8](repeating: 65, count: 10_000_000)))
        stage.answer("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
        #expect(exchange.isRequestStopped)
        #expect(stage.log == ["head 413", "body no", "end"])
        #expect(stage.transport.writeBufferSize < 300_000)
    }

    @Test func anEarlySuccessLetsTheBodyGoOn() throws {
        let stage = ClientStage()
        let exchange = try stage.start(.post, body: .stream(length: nil))
        stage.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try exchange.write([65])
        #expect(stage.sent().hasSuffix("1\r\nA\r\n"))
        try exchange.finish()
        stage.answer("0\r\n\r\n")
        #expect(stage.log == ["wanted", "head 200", "end"])
        #expect(stage.connection.isReady)
    }

    // MARK: Backpressure, pipelining

    @Test func aPausedBodyStopsReading() throws {
        let stage = ClientStage()
        let exchange = try stage.start { exchange in
            let log = exchange.onBody
            exchange.onBody = { [unowned exchange] bytes in
                try log?(bytes)
                exchange.pauseBody()
            }
        }
        stage.answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        stage.answer("cd")
        #expect(stage.log == ["head 200", "body ab"])
        #expect(!stage.transport.isReading)
        exchange.resumeBody()
        stage.loop.runUntilIdle()
        #expect(stage.log == ["head 200", "body ab", "body cd"])
        exchange.resumeBody()
        stage.loop.runUntilIdle()
        #expect(stage.log.last == "end")
    }

    @Test func pipelinesUpToItsDepthAndAnswersInOrder() throws {
        var options = HTTPConnectionOptions()
        options.pipelineDepth = 2
        let stage = ClientStage(options)
        try stage.start()
        try stage.start(.head)
        #expect(!stage.connection.isReady)
        #expect(throws: HTTPClientError.self) { try stage.start() }
        stage.answer(ok + "HTTP/1.1 204 No Content\r\n\r\n")
        #expect(stage.log == ["head 200", "body hi", "end", "head 204", "end"])
    }

    // MARK: Errors

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", "the server closed"),
        ("", "the server closed"),
        ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "bad-content-length"),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "switched protocols"),
    ])
    func errorsAreTyped(_ answer: String, _ part: String) throws {
        let stage = ClientStage()
        try stage.start()
        stage.answer(answer)
        stage.finish()
        #expect(stage.log.last?.hasPrefix("error ") == true)
        #expect(stage.log.last?.contains(part) == true)
        #expect(stage.transport.isClosing)
    }

    @Test func bytesNobodyAskedForCloseTheConnection() {
        let stage = ClientStage()
        stage.answer(ok)
        #expect(stage.transport.isClosing)
    }

    @Test(arguments: [("", "head"), ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", "body")])
    func waitsHaveLimits(_ answer: String, _ what: String) throws {
        var options = HTTPConnectionOptions()
        options.headerTimeout = .seconds(5)
        options.readTimeout = .seconds(5)
        let stage = ClientStage(options)
        try stage.start()
        if !answer.isEmpty { stage.answer(answer) }
        stage.loop.advance(by: .milliseconds(4999))
        #expect(!stage.transport.isClosing)
        stage.loop.advance(by: .milliseconds(1))
        #expect(stage.log.last == "error the response's \(what) took longer than 5.0 seconds")
    }

    @Test func anIdleConnectionIsClosed() throws {
        var options = HTTPConnectionOptions()
        options.idleTimeout = .seconds(5)
        let stage = ClientStage(options)
        stage.loop.advance(by: .seconds(4))
        try stage.start()
        stage.answer(ok)
        stage.loop.advance(by: .milliseconds(4999))
        #expect(!stage.transport.isClosing)
        stage.loop.advance(by: .milliseconds(1))
        #expect(stage.transport.isClosing)
    }

    @Test func aSwitchHandsOverTransportAndRemainingBytes() throws {
        for method in [HTTPRequest.Method.get, .connect] {
            let seen = Box("")
            let stage = ClientStage()
            try stage.start(method) { exchange in
                exchange.onSwitch = { response, _, remaining in
                    seen.value = "\(response.status.code) " + String(decoding: remaining, as: UTF8.self)
                    return Collector(seen)
                }
            }
            let status = method == .connect ? 200 : 101
            stage.answer("HTTP/1.1 \(status) Yes\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nsur")
            stage.answer("plus")
            #expect(seen.value == "\(status) surplus")
            #expect(!stage.transport.isClosing)
        }
    }
}
