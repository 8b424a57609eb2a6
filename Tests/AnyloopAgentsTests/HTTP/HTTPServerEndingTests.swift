import AnyloopAgents
import AnyloopCore
import AnyloopTesting
import AnyloopWire
import HTTPTypes
import Testing

/// Deadlines, refusals, lingering, shutting down, hand-overs.
@Suite struct HTTPServerEndingTests {
    // MARK: Deadlines

    @Test func anIdleConnectionIsClosedWithoutAWord() {
        let stage = ServerStage(options: { $0.idleTimeout = .seconds(10) }, handler: sayHello)
        stage.send(get)
        _ = stage.received()
        stage.advance(.milliseconds(9999))
        #expect(!stage.isClosed)
        stage.advance(.milliseconds(1))
        #expect(stage.isClosed)
        #expect(stage.received() == "")
    }

    @Test func requestsPutTheIdleDeadlineOff() {
        let stage = ServerStage(options: { $0.idleTimeout = .seconds(10) }, handler: sayHello)
        for _ in 0..<5 {
            stage.advance(.seconds(9))
            stage.send(get)
        }
        #expect(!stage.isClosed)
        stage.advance(.seconds(10))
        #expect(stage.isClosed)
    }

    // RFC 9110 §15.5.9.
    @Test func aSlowHeadIsAnswered408() {
        let stage = ServerStage(options: { $0.headerTimeout = .seconds(5) }, handler: sayHello)
        stage.send("GET / HTTP/1.1\r\n")
        stage.advance(.seconds(3))
        stage.send("Host: a\r\n")
        stage.advance(.milliseconds(1999))
        #expect(stage.received() == "")
        stage.advance(.milliseconds(1))
        let text = stage.received()
        #expect(text.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        #expect(text.contains("Connection: close\r\n"))
        #expect(stage.peer.end == .finish)
    }

    @Test func aSlowBodyIsAnswered408AndProgressPutsItOff() {
        let stage = ServerStage(options: { $0.bodyTimeout = .seconds(5) }) { exchange in
            exchange.collectBody(limit: 100) { _, _ in exchange.respond(HTTPResponse(status: .ok)) }
        }
        stage.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
        stage.advance(.seconds(4))
        stage.send("a")
        stage.advance(.milliseconds(4999))
        #expect(stage.received() == "")
        stage.advance(.milliseconds(1))
        #expect(stage.statuses() == [408])
    }

    @Test func aSlowBodyAfterTheResponseBeganAborts() {
        let stage = ServerStage(options: { $0.bodyTimeout = .seconds(5) }) { exchange in
            exchange.start(HTTPResponse(status: .ok))
            exchange.readBody { _ in
            } onEnd: { _ in
                exchange.finish()
            }
        }
        stage.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
        stage.advance(.seconds(5))
        #expect(stage.isClosed)
        #expect(stage.statuses() == [200])
    }

    @Test func aSlowHandlerIsAnswered503WhereThatIsAskedFor() {
        let stage = ServerStage(options: { $0.handlerTimeout = .seconds(5) }) { _ in }
        stage.send(get)
        stage.advance(.seconds(5))
        #expect(stage.statuses() == [503])
        let patient = ServerStage(handler: { _ in })
        patient.send(get)
        patient.advance(.seconds(1_000_000))
        #expect(!patient.isClosed)
    }

    @Test func aPeerThatTakesNothingIsAborted() {
        let stage = ServerStage(options: { $0.writeTimeout = .seconds(5) }) { exchange in
            exchange.respond(HTTPResponse(status: .ok), body: [UInt8](repeating: 0, count: 200_000))
        }
        stage.peer.stopReading(window: 10)
        stage.send(get)
        stage.advance(.seconds(4))
        stage.peer.grant(10)
        stage.advance(.seconds(2))
        #expect(!stage.isClosed, "it took something")
        stage.advance(.seconds(5))
        #expect(stage.isClosed)
    }

    @Test func theHotPathTouchesNoTimer() {
        let stage = ServerStage(options: { $0.idleTimeout = .seconds(10) }, handler: sayHello)
        let first = stage.loop.nextDeadline
        stage.advance(.seconds(5))
        stage.send(get + get)
        #expect(stage.loop.nextDeadline == first)
    }

    // MARK: Refusals

    // RFC 9112 §2.2, §3, §6.3, §9.6; RFC 9110 §15.5, §15.6.
    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\n", 505),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n", 417),
        ("GET /{} HTTP/1.1\r\n", 414),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n", 431),
    ])
    func aMalformedRequestIsRefusedAndTheCloseLingers(_ request: String, _ status: Int) {
        let stage = ServerStage()
        stage.send(get + request.replacing("{}", with: String(repeating: "x", count: 9000)))
        let text = stage.received()
        #expect(text.hasPrefix(hello + "HTTP/1.1 \(status) "))
        #expect(text.contains("\r\nConnection: close\r\n"))
        #expect(stage.peer.end == .finish)
        #expect(!stage.isClosed, "it lingers")
        stage.send(get)
        #expect(stage.received() == "")
        stage.finish()
        #expect(stage.isClosed)
    }

    @Test(arguments: [(10, 200), (11, 413)])
    func theBodyHasALimit(_ size: Int, _ status: Int) {
        let stage = ServerStage(options: { $0.limits.bodySize = 10 }, handler: sayHello)
        stage.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
        stage.send(String(repeating: "x", count: size))
        #expect(stage.statuses() == [status])
    }

    @Test(arguments: [(100, false), (101, true)])
    func lingeringEndsAtItsByteLimit(_ size: Int, _ closes: Bool) {
        let stage = ServerStage(options: { $0.lingerByteLimit = 100 }, handler: sayHello)
        stage.send("bad\r\n\r\n")
        stage.send(String(repeating: "x", count: size))
        #expect(stage.isClosed == closes)
    }

    @Test func lingeringEndsWithItsTime() {
        let stage = ServerStage(options: { $0.lingerTimeout = .seconds(2) }, handler: sayHello)
        stage.send("bad\r\n\r\n")
        stage.advance(.milliseconds(1999))
        #expect(!stage.isClosed)
        stage.advance(.milliseconds(1))
        #expect(stage.isClosed)
    }

    @Test func anIncompleteHeadAndAnEndIsRefused() {
        let stage = ServerStage()
        stage.send("GET / HT")
        stage.finish()
        #expect(stage.statuses() == [400])
        #expect(stage.isClosed)
    }

    @Test func anEndBetweenRequestsClosesSilently() {
        let stage = ServerStage()
        stage.send(get)
        _ = stage.received()
        stage.finish()
        #expect(stage.received() == "")
        #expect(stage.isClosed)
        #expect(stage.service.connectionCount == 0)
    }

    // MARK: Shutting down

    @Test func shuttingDownClosesIdleConnectionsNow() {
        let stage = ServerStage()
        stage.send(get)
        stage.service.shutDown()
        #expect(stage.isClosed)
    }

    @Test func shuttingDownLetsARequestFinish() {
        let open = Box<HTTPServerExchange?>(nil)
        let stage = ServerStage { open.value = $0 }
        stage.send(get + get)
        stage.service.shutDown()
        #expect(!stage.isClosed)
        open.value?.respond(HTTPResponse(status: .ok))
        stage.loop.runUntilIdle()
        #expect(stage.received() == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        #expect(stage.peer.end == .finish)
    }

    @Test func theLastResponseIsNotCutShortByTheTimeToLinger() {
        let stage = ServerStage(options: {
            $0.requestLimit = 1
            $0.lingerTimeout = .seconds(5)
            $0.writeTimeout = .seconds(60)
        }) { $0.respond(HTTPResponse(status: .ok), body: [UInt8](repeating: 1, count: 1_000_000)) }
        stage.peer.stopReading()
        stage.send(get + get)
        for _ in 0..<10 {
            stage.advance(.seconds(50))
            stage.peer.grant(100_000)
            stage.loop.runUntilIdle()
        }
        stage.peer.resumeReading()
        stage.loop.runUntilIdle()
        #expect(stage.peer.received.count > 1_000_000)
        #expect(stage.peer.end == .finish)
        stage.advance(.seconds(65))
        #expect(stage.isClosed)
    }

    @Test func closingTheServerAbortsWhatOutlastsTheGraceTime() throws {
        let loop = MemoryLoop()
        let server = HTTPServer(loop: loop) { _ in }
        try server.listen(on: [.loopback(port: 80)])
        let client = RecordingProtocol(.made) { _, transport in transport.write(Array(get.utf8)) }
        loop.createConnection(
            to: .address(.loopback(port: 80)), options: ConnectOptions(), protocolFactory: { client },
            completion: { _ in })
        loop.runUntilIdle()
        #expect(server.service.connectionCount == 1)
        let closed = Box(false)
        server.close(grace: .seconds(3)) { closed.value = true }
        #expect(server.addresses.isEmpty)
        loop.advance(by: .milliseconds(2999))
        #expect(!closed.value)
        loop.advance(by: .milliseconds(1))
        #expect(closed.value)
        #expect(client.isLost)
    }

    // MARK: Hand-overs

    // RFC 9110 §7.8: 101 after the request, then the other protocol at once.
    @Test func anUpgradeHandsOverTransportAndRemainingBytes() {
        let seen = Box("")
        let stage = ServerStage { exchange in
            #expect(exchange.offersTakeOver)
            let response = HTTPResponse(
                status: .switchingProtocols, headerFields: [.upgrade: "echo", .connection: "upgrade"])
            exchange.takeOver(with: response) { transport, remaining in
                seen.value += String(decoding: remaining, as: UTF8.self)
                return Collector(seen)
            }
        }
        stage.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nsurplus")
        #expect(stage.received() == "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
        #expect(seen.value == "surplus")
        stage.send("more")
        #expect(seen.value == "surplusmore")
        #expect(stage.service.connectionCount == 0)
        stage.advance(.seconds(1000))
        #expect(!stage.isClosed, "no deadline of ours any more")
    }

    @Test func aDeclinedUpgradeGoesOnAsHTTP() {
        let stage = ServerStage()
        stage.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n" + get)
        #expect(stage.received() == hello + hello)
    }

    @Test func connectIsATunnelAfter2xx() {
        let seen = Box("")
        let stage = ServerStage { exchange in
            #expect(exchange.request.authority == "b:443")
            exchange.takeOver(with: HTTPResponse(status: .ok)) { _, remaining in
                seen.value = String(decoding: remaining, as: UTF8.self)
                return Collector(seen)
            }
        }
        stage.send("CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\nGET")
        #expect(stage.received() == "HTTP/1.1 200 OK\r\n\r\n")
        #expect(seen.value == "GET")
    }

    @Test func aHandOverWithoutAnOfferIsReported() {
        let stage = ServerStage { exchange in
            exchange.takeOver(with: HTTPResponse(status: .switchingProtocols)) { _, _ in Collector(Box("")) }
            exchange.respond(HTTPResponse(status: .ok))
        }
        stage.send(get)
        #expect(stage.loop.exceptions.count == 1)
        #expect(stage.statuses() == [200])
    }
}

/// Keeps what it receives.
final class Collector: StreamProtocol {
    let seen: Box<String>
    init(_ seen: Box<String>) { self.seen = seen }

    func dataReceived(_ data: Span<UInt8>) {
        seen.value += String(decoding: (0..<data.count).map { data[$0] }, as: UTF8.self)
    }
}
