import AnyloopAgents
import AnyloopCore
import AnyloopTesting
import HTTPTypes
import Testing

/// Request bodies and streamed responses.
@Suite struct HTTPServerBodyTests {
    private static func post(_ body: String, _ fields: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// Answers with the body it got.
    private static func echo(_ exchange: HTTPServerExchange) {
        exchange.collectBody(limit: 1000) { body, _ in exchange.respond(HTTPResponse(status: .ok), body: body) }
    }

    @Test func collectsABody() {
        let stage = ServerStage(handler: Self.echo)
        stage.send(Self.post("hello") + Self.post("hello"))
        #expect(stage.received() == hello + hello)
    }

    @Test(arguments: [(1000, 200), (1001, 413)])
    func collectingHasALimit(_ size: Int, _ status: Int) {
        for framed in [true, false] {
            let stage = ServerStage(handler: Self.echo)
            let body = String(repeating: "x", count: size)
            if framed {
                stage.send(Self.post(body))
            } else {
                let chunk = String(size, radix: 16)
                stage.send(
                    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)\r\n\(body)\r\n0\r\n\r\n")
            }
            #expect(stage.statuses() == [status])
        }
    }

    @Test func deliversChunksAndTrailersInPieces() {
        let seen = Box("")
        let stage = ServerStage { exchange in
            exchange.readBody { chunk in
                seen.value += "[" + String(decoding: (0..<chunk.count).map { chunk[$0] }, as: UTF8.self) + "]"
            } onEnd: { trailers in
                seen.value += trailers?[HTTPField.Name("X-Sum") ?? .accept] ?? "none"
                exchange.respond(HTTPResponse(status: .ok))
            }
        }
        stage.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab")
        #expect(seen.value == "[ab]")
        stage.send("c\r\n1\r\nd\r\n0\r\nX-Sum: 4\r\n\r\n")
        #expect(seen.value == "[ab][c][d]4")
        #expect(stage.statuses() == [200])
    }

    @Test func aPausedBodyWaitsAndReadingStops() {
        let seen = Box(0)
        let open = Box<HTTPServerExchange?>(nil)
        let stage = ServerStage(options: { $0.pendingInputLimit = 100 }) { exchange in
            open.value = exchange
            exchange.readBody { chunk in
                seen.value += chunk.count
                exchange.pauseBody()
            } onEnd: { _ in
                exchange.respond(HTTPResponse(status: .ok))
            }
        }
        stage.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\n")
        for _ in 0..<3 { stage.send(String(repeating: "x", count: 100)) }
        #expect(seen.value == 100)
        #expect(!stage.transport.isReading)
        open.value?.resumeBody()
        stage.loop.runUntilIdle()
        #expect(seen.value >= 200)
        while stage.peer.received.isEmpty, seen.value < 300 {
            open.value?.resumeBody()
            stage.loop.runUntilIdle()
        }
        open.value?.resumeBody()
        stage.loop.runUntilIdle()
        #expect(stage.statuses() == [200])
        #expect(stage.transport.isReading)
    }

    // RFC 9110 §10.1.1: 100 before the body is read, or the final status instead.
    @Test func aWaitingClientIsToldToContinueWhenTheBodyIsWanted() {
        let stage = ServerStage(handler: Self.echo)
        stage.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        #expect(stage.received() == "HTTP/1.1 100 Continue\r\n\r\n")
        stage.send("hello")
        #expect(stage.received() == hello)
        #expect(!stage.isClosed)
    }

    @Test func aFinalStatusInsteadOf100EndsTheConnection() {
        let stage = ServerStage { $0.respond(HTTPResponse(status: .forbidden)) }
        stage.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        #expect(stage.received() == "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        #expect(stage.peer.end == .finish)
    }

    @Test func no100IfTheBodyIsHereOrTheClientSpeaks10() {
        let stage = ServerStage(handler: Self.echo)
        stage.send(Self.post("hello", "Expect: 100-continue\r\n"))
        #expect(stage.statuses().last == 200)
        let old = ServerStage(handler: Self.echo)
        old.send("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        #expect(old.received() == "")
    }

    @Test(arguments: [(50, false), (51, true)])
    func anUnreadBodyIsDrainedUpToItsLimit(_ size: Int, _ closes: Bool) {
        let stage = ServerStage(options: { $0.unreadBodyLimit = 50 }) { $0.respond(HTTPResponse(status: .ok)) }
        let body = String(repeating: "x", count: size)
        stage.send(Self.post(body))
        #expect(stage.received().contains("Connection: close") == closes)
        #expect((stage.peer.end == .finish) == closes)
        let chunked = ServerStage(options: { $0.unreadBodyLimit = 50 }) { $0.respond(HTTPResponse(status: .ok)) }
        let length = String(size, radix: 16)
        chunked.send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(length)\r\n\(body)\r\n0\r\n\r\n")
        #expect(chunked.statuses() == [200])
        #expect((chunked.peer.end == .finish) == closes)
    }

    // RFC 9112 §6.3 and §7.1.
    @Test func aStreamedResponseIsChunkedWithTrailers() {
        let stage = ServerStage { exchange in
            exchange.start(HTTPResponse(status: .ok))
            exchange.write(Array("hello".utf8))
            exchange.write([])
            exchange.write([UInt8](repeating: 65, count: 17))
            exchange.finish(trailers: [.eTag: "\"x\"", .contentLength: "9"])
        }
        stage.send(get)
        let expected =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
            + "11\r\nAAAAAAAAAAAAAAAAA\r\n0\r\nETag: \"x\"\r\n\r\n"
        #expect(stage.received() == expected)
    }

    @Test func toHTTP10AStreamedResponseLastsUntilTheClose() {
        let stage = ServerStage { exchange in
            exchange.start(HTTPResponse(status: .ok))
            exchange.write(Array("hello".utf8))
            exchange.finish(trailers: [.eTag: "x"])
        }
        stage.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(stage.received() == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")
        #expect(stage.isClosed)
    }

    @Test(arguments: [(4, true), (5, false), (6, true)])
    func aDeclaredLengthIsKeptOrTheConnectionAborted(_ size: Int, _ aborts: Bool) {
        let stage = ServerStage { exchange in
            exchange.start(HTTPResponse(status: .ok, headerFields: [.contentLength: "5"]))
            exchange.write([UInt8](repeating: 65, count: size))
            exchange.finish()
        }
        stage.send(get)
        #expect(stage.isClosed == aborts)
        #expect(stage.loop.exceptions.isEmpty != aborts)
        if !aborts { #expect(stage.received() == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nAAAAA") }
    }

    @Test func theHandlerSeesTheWatermarks() {
        let resumed = Box(0)
        let open = Box<HTTPServerExchange?>(nil)
        let stage = ServerStage { exchange in
            open.value = exchange
            exchange.onWritable = { resumed.value += 1 }
            exchange.start(HTTPResponse(status: .ok))
        }
        stage.send(get)
        stage.peer.stopReading()
        open.value?.write([UInt8](repeating: 1, count: 60_000))
        #expect(open.value?.isWritable == true)
        open.value?.write([UInt8](repeating: 1, count: 60_000))
        #expect(open.value?.isWritable == false)
        stage.peer.grant(100_000)
        stage.loop.runUntilIdle()
        #expect(resumed.value == 0)
        stage.peer.resumeReading()
        stage.loop.runUntilIdle()
        #expect(resumed.value == 1)
        #expect(open.value?.isWritable == true)
    }

    @Test func interimResponsesGoToHTTP11Only() {
        let handler: HTTPService.Handler = { exchange in
            exchange.sendInformational(HTTPResponse(status: .earlyHints, headerFields: [.eTag: "x"]))
            exchange.respond(HTTPResponse(status: .ok), body: Array("hello".utf8))
        }
        let stage = ServerStage(handler: handler)
        stage.send(get)
        #expect(stage.received() == "HTTP/1.1 103 Early Hints\r\nETag: x\r\n\r\n" + hello)
        let old = ServerStage(handler: handler)
        old.send("GET / HTTP/1.0\r\n\r\n")
        #expect(old.statuses() == [200])
    }

    @Test func aHalfClosedClientGetsItsResponse() {
        let open = Box<HTTPServerExchange?>(nil)
        let stage = ServerStage { open.value = $0 }
        stage.send(get)
        stage.finish()
        #expect(!stage.isClosed)
        open.value?.respond(HTTPResponse(status: .ok), body: Array("hello".utf8))
        stage.loop.runUntilIdle()
        #expect(stage.received() == hello)
        #expect(stage.isClosed)
    }

    @Test func aBodyThatBreaksOffIsToldOnce() {
        let ended = Box<[String]>([])
        let stage = ServerStage { exchange in
            exchange.onClosed = { ended.value.append($0?.description ?? "fine") }
            exchange.readBody { _ in
            } onEnd: { _ in
                ended.value.append("end")
            }
        }
        stage.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")
        stage.finish()
        #expect(ended.value.count == 1)
        #expect(ended.value.first?.contains("unexpected-eof") == true)
        #expect(stage.statuses() == [400])
        #expect(stage.isClosed)
    }
}
