import AnyloopAgents
import AnyloopCore
import AnyloopTesting
import HTTPTypes
import Testing

@Suite struct HTTPServerProtocolTests {
    @Test func answersAndKeepsTheConnection() {
        let stage = ServerStage()
        stage.send(get)
        #expect(stage.received() == hello)
        stage.send(get)
        #expect(stage.received() == hello)
        #expect(!stage.isClosed)
    }

    @Test(arguments: 1..<get.utf8.count)
    func answersHoweverTheRequestIsCut(_ cut: Int) {
        let stage = ServerStage()
        stage.send(String(decoding: get.utf8.prefix(cut), as: UTF8.self))
        #expect(stage.received() == "")
        stage.send(String(decoding: get.utf8.dropFirst(cut), as: UTF8.self))
        #expect(stage.received() == hello)
    }

    @Test func sendsDateAndServer() {
        let stage = ServerStage(
            options: {
                $0.serverName = "test"
                $0.sendsDate = true
                $0.wallClock = { 784_111_777_500_000_000 }
            }, handler: sayHello)
        stage.send(get)
        let expected =
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: test\r\n"
            + "Content-Length: 5\r\n\r\nhello"
        #expect(stage.received() == expected)
    }

    @Test func theHandlersOwnDateAndServerStandAlone() {
        let stage = ServerStage(options: { $0.serverName = "ours" }) {
            $0.respond(HTTPResponse(status: .ok, headerFields: [.date: "then", .server: "theirs"]))
        }
        stage.send(get)
        #expect(stage.received() == "HTTP/1.1 200 OK\r\nDate: then\r\nServer: theirs\r\nContent-Length: 0\r\n\r\n")
    }

    @Test func aForgottenExchangeIsNotAnotherRequests() {
        let held = Box<[() -> HTTPServerExchange?]>([])
        let stage = ServerStage { exchange in
            held.value.append { [weak exchange] in exchange }
            exchange.respond(HTTPResponse(status: .ok))
        }
        stage.send(get + get)
        #expect(held.value.count == 2)
        #expect(held.value[0]() == nil)
    }

    @Test func asksForTheDateOnceASecond() {
        let asked = Counter()
        let stage = ServerStage(
            options: {
                $0.sendsDate = true
                $0.wallClock = { 784_111_777_250_000_000 + Int64(asked.next()) * 1_000_000_000 }
            }, handler: sayHello)
        stage.send(get + get)
        stage.advance(.milliseconds(749))
        stage.send(get)
        #expect(asked.count == 1)
        stage.advance(.milliseconds(1))
        stage.send(get)
        #expect(asked.count == 2)
        #expect(stage.received().contains("08:49:38 GMT"))
    }

    // RFC 9112 §9.3.2: responses in the order of the requests.
    @Test func answersPipelinedRequestsInOrderInOneSend() {
        let stage = ServerStage { exchange in
            exchange.respond(HTTPResponse(status: .ok), body: Array((exchange.request.path ?? "").utf8))
        }
        let requests = (1...3).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
        stage.send(requests)
        let responses = (1...3).map { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/\($0)" }.joined()
        #expect(stage.received() == responses)
    }

    @Test func waitsWithTheNextRequestUntilTheResponseIsFinished() throws {
        let open = Box<[HTTPServerExchange]>([])
        let stage = ServerStage { open.value.append($0) }
        stage.send(get + get + get)
        #expect(open.value.count == 1)
        open.value[0].respond(HTTPResponse(status: .ok), body: [])
        #expect(open.value.count == 1, "never inside the application's call")
        stage.loop.runUntilIdle()
        #expect(open.value.count == 2)
        open.value[1].start(HTTPResponse(status: .ok))
        stage.loop.runUntilIdle()
        #expect(open.value.count == 2)
        open.value[1].finish()
        stage.loop.runUntilIdle()
        #expect(open.value.count == 3)
        #expect(open.value[0].request.path == "/", "the request can be read after the end")
    }

    @Test(arguments: [(64, true), (65, false)])
    func pausesReadingAboveThePendingInputLimit(_ size: Int, _ reads: Bool) {
        let open = Box<[HTTPServerExchange]>([])
        let stage = ServerStage(options: { $0.pendingInputLimit = 64 }) { open.value.append($0) }
        stage.send(get)
        stage.send(String(repeating: "x", count: size))
        #expect(stage.transport.isReading == reads)
    }

    @Test func readsOnWhenThePendingInputIsWorkedOff() {
        let open = Box<[HTTPServerExchange]>([])
        let stage = ServerStage(options: { $0.pendingInputLimit = 10 }) { open.value.append($0) }
        stage.send(get)
        stage.send(get)
        stage.send(get)
        #expect(!stage.transport.isReading)
        open.value[0].respond(HTTPResponse(status: .ok))
        stage.loop.runUntilIdle()
        #expect(open.value.count == 2)
        open.value[1].respond(HTTPResponse(status: .ok))
        stage.loop.runUntilIdle()
        #expect(open.value.count == 3)
    }

    @Test func holdsRequestsBackWhileThePeerDoesNotTakeItsResponses() {
        let count = Box(0)
        let stage = ServerStage { exchange in
            count.value += 1
            exchange.respond(HTTPResponse(status: .ok), body: [UInt8](repeating: 1, count: 40_000))
        }
        stage.peer.stopReading()
        stage.send(String(repeating: get, count: 10))
        #expect(count.value == 2, "40 000 bytes are below the high watermark, 80 000 above")
        stage.peer.resumeReading()
        stage.loop.runUntilIdle()
        #expect(count.value == 10)
        #expect(stage.received().components(of: "HTTP/1.1 200") == 10)
    }

    // RFC 9110 §9.3.2.
    @Test func headHasTheLengthAndNoBody() {
        let stage = ServerStage()
        stage.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + get)
        #expect(stage.received() == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + hello)
    }

    // RFC 9110 §8.6, §15.4.5; RFC 9112 §6.1.
    @Test(arguments: [HTTPResponse.Status.noContent, .notModified])
    func statusesWithoutContentHaveNone(_ status: HTTPResponse.Status) {
        let stage = ServerStage { $0.respond(HTTPResponse(status: status), body: [1, 2, 3]) }
        stage.send(get)
        #expect(stage.received() == "HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n\r\n")
    }

    @Test(arguments: [
        ("GET / HTTP/1.0\r\n\r\n", "Connection: close\r\n", true),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: keep-alive\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "Connection: close\r\n", true),
    ])
    func keepsToTheClientsWishForPersistence(_ request: String, _ field: String, _ closes: Bool) {
        let stage = ServerStage()
        stage.send(request)
        #expect(stage.received() == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\(field)\r\nhello")
        #expect(stage.isClosed == closes)
    }

    @Test func theHandlerCanCloseTheConnection() {
        let stage = ServerStage { $0.respond(HTTPResponse(status: .ok, headerFields: [.connection: "close"])) }
        stage.send(get)
        #expect(stage.received() == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        #expect(stage.peer.end == .finish)
    }

    @Test(arguments: [(1, 1), (2, 2)])
    func theRequestLimitEndsTheConnection(_ limit: Int, _ answered: Int) {
        let stage = ServerStage(options: { $0.requestLimit = limit }, handler: sayHello)
        stage.send(String(repeating: get, count: 3))
        let text = stage.received()
        #expect(text.components(of: "HTTP/1.1 200") == answered)
        #expect(text.components(of: "Connection: close") == 1)
    }

    // MARK: Handlers that fail

    @Test func aHandlerThatThrowsIsAnswered500() {
        let stage = ServerStage { _ in throw Failure() }
        stage.send(get)
        #expect(stage.received().hasPrefix("HTTP/1.1 500 Internal Server Error\r\n"))
        #expect(!stage.isClosed)
    }

    @Test func aHandlerThatThrowsAfterTheHeadAborts() {
        let ended = Box<HTTPServerError?>(nil)
        let stage = ServerStage { exchange in
            exchange.onClosed = { ended.value = $0 }
            exchange.start(HTTPResponse(status: .ok))
            exchange.write([1])
            throw Failure()
        }
        stage.send(get)
        #expect(stage.isClosed)
        guard case .handlerFailed? = ended.value else {
            Issue.record("ended with \(String(describing: ended.value))")
            return
        }
    }

    @Test func callsOutOfOrderAreReported() {
        let stage = ServerStage { exchange in
            exchange.write([1])
            exchange.finish()
            exchange.respond(HTTPResponse(status: .ok))
            exchange.respond(HTTPResponse(status: .ok))
            exchange.start(HTTPResponse(status: .ok))
        }
        stage.send(get)
        #expect(stage.statuses() == [200])
        #expect(stage.loop.exceptions.count == 4)
    }

    @Test func theHandlerHearsOfALostConnection() {
        let ended = Box<HTTPServerError?>(nil)
        let stage = ServerStage { exchange in exchange.onClosed = { ended.value = $0 } }
        stage.send(get)
        stage.peer.reset()
        stage.loop.runUntilIdle()
        guard case .connectionLost(let error?)? = ended.value else {
            Issue.record("ended with \(String(describing: ended.value))")
            return
        }
        #expect(error.errno == 104)
    }
}

struct Failure: Error {}

/// Counts calls from `@Sendable` closures of single-threaded tests.
final class Counter: @unchecked Sendable {  // used on the test's thread only
    private(set) var count = 0

    func next() -> Int {
        count += 1
        return count - 1
    }
}

extension String {
    /// How often `part` occurs.
    func components(of part: String) -> Int {
        var rest = Substring(self)
        var count = 0
        while let range = rest.firstRange(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
