import AnyloopWire
import Testing

@Suite("HTTP/1 encoder")
struct EncoderTests {
    /// What a response consists of, and the bytes that must come of it.
    struct Response: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var status = 200
        var method = HTTP1Method.get
        var version = HTTP1Version.http11
        var framing = HTTP1Framing.none
        var keepAlive = true
        var parts: [String] = []
        let wire: String
    }

    static let responses: [Response] = [
        Response(
            testDescription: "length", framing: .length(5), parts: ["hel", "", "lo"],
            wire: "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello"),
        Response(
            testDescription: "no content says so (RFC 9112 §6.3)",
            wire: "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n"),
        Response(
            testDescription: "chunks (RFC 9112 §7.1)", framing: .chunked,
            parts: ["hello", String(repeating: "x", count: 26)],
            wire: "HTTP/1.1 200 OK\r\nServer: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1a\r\n"
                + String(repeating: "x", count: 26) + "\r\n0\r\n\r\n"),
        Response(
            testDescription: "until the close", framing: .untilClose, parts: ["ab"],
            wire: "HTTP/1.1 200 OK\r\nServer: x\r\nConnection: close\r\n\r\nab"),
        Response(
            testDescription: "the last one (RFC 9112 §9.6)", status: 404, keepAlive: false,
            wire: "HTTP/1.1 404 Not Found\r\nServer: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        Response(
            testDescription: "HTTP/1.0 that keeps alive", version: .http10, framing: .length(1), parts: ["a"],
            wire: "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\na"),
        Response(
            testDescription: "HEAD says the length of what it doesn't send", method: .head, framing: .length(5),
            wire: "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\n"),
        Response(
            testDescription: "HEAD of chunks", method: .head, framing: .chunked,
            wire: "HTTP/1.1 200 OK\r\nServer: x\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Response(testDescription: "204", status: 204, wire: "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n"),
        Response(
            testDescription: "304 with a length", status: 304, framing: .length(7),
            wire: "HTTP/1.1 304 Not Modified\r\nServer: x\r\nContent-Length: 7\r\n\r\n"),
        Response(
            testDescription: "a tunnel", method: .connect, wire: "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"),
        Response(
            testDescription: "an unregistered status", status: 299, method: .head,
            wire: "HTTP/1.1 299 \r\nServer: x\r\n\r\n"),
    ]

    @Test("responses", arguments: responses)
    func response(_ response: Response) throws {
        var out = Array("before".utf8)
        var encoder = HTTP1Encoder()
        try encoder.startResponse(response.status, to: response.method, version: response.version, into: &out)
        try encoder.field("Server", "x", into: &out)
        try encoder.endHead(response.framing, keepAlive: response.keepAlive, into: &out)
        for part in response.parts { try encoder.body(part.utf8.span, into: &out) }
        try encoder.end(into: &out)
        #expect(String(decoding: out, as: UTF8.self) == "before" + response.wire)
        let closes = encoder.closes
        #expect(closes == response.wire.contains("Connection: close"))
        let isWithin = encoder.isWithinMessage
        #expect(!isWithin)
    }

    @Test("what was written reads back the same", arguments: responses)
    func roundTrip(_ response: Response) throws {
        var parser = HTTP1Parser(role: .responses)
        parser.expectResponse(to: response.method)
        let bytes = Array(response.wire.utf8)
        var position = 0
        var body: [UInt8] = []
        var heads = 0
        while let event = try parser.next(bytes.span, at: &position) {
            if case .body(let range) = event { body += bytes[range] }
            if event == .head {
                heads += 1
                #expect(parser.head.status == response.status)
                #expect(parser.head.fields["server"] == "x")
            }
        }
        _ = try parser.receiveEnd()
        #expect(heads == 1)
        #expect(String(decoding: body, as: UTF8.self) == response.parts.joined())
        #expect(position == bytes.count)
    }

    @Test("a request with chunks and trailers")
    func request() throws {
        var out: [UInt8] = []
        var encoder = HTTP1Encoder()
        var trailers = HTTP1FieldLines()
        try trailers.append("X-Sum", "1")
        try encoder.startRequest(.post, target: "/a?b", into: &out)
        try encoder.field("Host", "a", into: &out)
        try encoder.endHead(.chunked, keepAlive: true, into: &out)
        try encoder.startPart(of: 300, into: &out)
        out += [UInt8](repeating: 0x78, count: 300)
        try encoder.endPart(into: &out)
        try encoder.end(trailers: trailers, into: &out)
        #expect(
            String(decoding: out, as: UTF8.self)
                == "POST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n12c\r\n"
                + String(repeating: "x", count: 300) + "\r\n0\r\nX-Sum: 1\r\n\r\n")
    }

    @Test("an interim response is complete with its head, the final one follows")
    func interim() throws {
        var out: [UInt8] = []
        var encoder = HTTP1Encoder()
        try encoder.startResponse(100, to: .post, into: &out)
        try encoder.endHead(.none, keepAlive: true, into: &out)
        try encoder.startResponse(200, reason: "Fine", to: .post, into: &out)
        try encoder.endHead(.none, keepAlive: true, into: &out)
        try encoder.end(into: &out)
        #expect(
            String(decoding: out, as: UTF8.self)
                == "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n")
    }

    @Test(
        "names and values that may not go on the wire",
        arguments: [
            ("A b", "1", HTTP1EncodingError.badFieldName), ("", "1", .badFieldName), ("A:", "1", .badFieldName),
            ("A\r\nB", "1", .badFieldName), ("Ä", "1", .badFieldName),
            ("A", "1\r\nB: 2", .badFieldValue("A")), ("A", "1\n", .badFieldValue("A")),
            ("A", "\0", .badFieldValue("A")),
            ("A", "\u{7F}", .badFieldValue("A")), ("A", "\r", .badFieldValue("A")),
            ("content-length", "1", .reservedField("content-length")),
            ("Transfer-Encoding", "chunked", .reservedField("Transfer-Encoding")),
        ])
    func refusedFields(_ name: String, _ value: String, _ error: HTTP1EncodingError) throws {
        var out = Array("before".utf8)
        var encoder = HTTP1Encoder()
        try encoder.startResponse(200, to: .get, into: &out)
        #expect(throws: error) { try encoder.field(name, value, into: &out) }
        #expect(String(decoding: out, as: UTF8.self) == "before")
        #expect(throws: HTTP1EncodingError.wrongOrder) { try encoder.endHead(.none, keepAlive: true, into: &out) }
        var lines = HTTP1FieldLines()
        #expect(throws: error) { try lines.append(name, value) }
        #expect(lines.isEmpty)
    }

    @Test(
        "start lines that may not go on the wire",
        arguments: [
            ("GET", "", HTTP1EncodingError.badTarget), ("GET", "/a b", .badTarget), ("GET", "/\r\nX: 1", .badTarget),
            ("GET", "/#a", .badTarget), ("GET", "/é", .badTarget), ("GET", "/\0", .badTarget),
            ("G T", "/", .badMethod), ("", "/", .badMethod), ("GET\n", "/", .badMethod),
        ])
    func refusedStartLines(_ method: String, _ target: String, _ error: HTTP1EncodingError) {
        var out: [UInt8] = []
        var encoder = HTTP1Encoder()
        #expect(throws: error) { try encoder.startRequest(method, target: target, into: &out) }
        #expect(throws: HTTP1EncodingError.badReason) {
            try encoder.startResponse(200, reason: "a\r\nb", to: .get, into: &out)
        }
        for status in [99, 600, -1] {
            #expect(throws: HTTP1EncodingError.badStatus(status)) {
                try encoder.startResponse(status, to: .get, into: &out)
            }
        }
        #expect(out.isEmpty)
    }

    @Test(
        "framing that contradicts the message",
        arguments: [
            (204, HTTP1Method.get, HTTP1Version.http11, HTTP1Framing.length(0), HTTP1EncodingError.contentNotAllowed),
            (100, .get, .http11, .chunked, .contentNotAllowed),
            (200, .connect, .http11, .length(1), .contentNotAllowed),
            (200, .get, .http10, .chunked, .chunkedToHTTP10), (200, .get, .http11, .length(-1), .framingNotAllowed),
        ])
    func contradictions(
        _ status: Int, _ method: HTTP1Method, _ version: HTTP1Version, _ framing: HTTP1Framing,
        _ error: HTTP1EncodingError
    ) throws {
        var out: [UInt8] = []
        var encoder = HTTP1Encoder()
        try encoder.startResponse(status, to: method, version: version, into: &out)
        #expect(throws: error) { try encoder.endHead(framing, keepAlive: true, into: &out) }
        #expect(out.isEmpty)
    }

    @Test("requests need one Host, and can't last until the close", arguments: [0, 1, 2])
    func hosts(_ count: Int) throws {
        var out: [UInt8] = []
        var encoder = HTTP1Encoder()
        try encoder.startRequest(.get, target: "/", into: &out)
        for _ in 0..<count { try encoder.field("host", "a", into: &out) }
        let error: HTTP1EncodingError = count == 1 ? .framingNotAllowed : .badHostCount(count)
        #expect(throws: error) { try encoder.endHead(.untilClose, keepAlive: true, into: &out) }
    }

    @Test("content longer and shorter than its length, and where there is none")
    func lengths() throws {
        var out: [UInt8] = []
        var encoder = HTTP1Encoder()
        try encoder.startResponse(200, to: .get, into: &out)
        try encoder.endHead(.length(3), keepAlive: true, into: &out)
        #expect(throws: HTTP1EncodingError.contentTooLong(by: 1)) { try encoder.body("abcd".utf8.span, into: &out) }
        try encoder.body("ab".utf8.span, into: &out)
        #expect(throws: HTTP1EncodingError.contentTooShort(by: 1)) { try encoder.end(into: &out) }
        var trailers = HTTP1FieldLines()
        try trailers.append("A", "1")
        #expect(throws: HTTP1EncodingError.trailersNotAllowed) { try encoder.end(trailers: trailers, into: &out) }
        try encoder.body("c".utf8.span, into: &out)
        try encoder.end(into: &out)
        try encoder.startResponse(200, to: .head, into: &out)
        try encoder.endHead(.length(3), keepAlive: true, into: &out)
        #expect(throws: HTTP1EncodingError.contentNotAllowed) { try encoder.body("abc".utf8.span, into: &out) }
        try encoder.end(into: &out)
        #expect(throws: HTTP1EncodingError.wrongOrder) { try encoder.end(into: &out) }
        #expect(throws: HTTP1EncodingError.wrongOrder) { try encoder.field("A", "1", into: &out) }
    }

    @Test("trailers of framing are refused")
    func forbiddenTrailers() throws {
        var out: [UInt8] = []
        var encoder = HTTP1Encoder()
        var trailers = HTTP1FieldLines()
        try trailers.append("Authorization", "1")
        try encoder.startResponse(200, to: .get, into: &out)
        try encoder.endHead(.chunked, keepAlive: true, into: &out)
        #expect(throws: HTTP1EncodingError.forbiddenTrailer("Authorization")) {
            try encoder.end(trailers: trailers, into: &out)
        }
    }

    @Test("numbers", arguments: [0, 9, 10, 15, 16, 255, 99_999_999, 100_000_000, 1_234_567_890_123, Int.max])
    func numbers(_ number: Int) throws {
        var out: [UInt8] = []
        var encoder = HTTP1Encoder()
        try encoder.startResponse(200, to: .head, into: &out)
        try encoder.endHead(.length(number), keepAlive: true, into: &out)
        try encoder.end(into: &out)
        #expect(String(decoding: out, as: UTF8.self).contains("Content-Length: \(number)\r\n"))
        guard number > 0 else { return }
        out = []
        try encoder.startResponse(200, to: .get, into: &out)
        try encoder.endHead(.chunked, keepAlive: true, into: &out)
        try encoder.startPart(of: number, into: &out)
        #expect(String(decoding: out, as: UTF8.self).hasSuffix("\r\n\r\n" + String(number, radix: 16) + "\r\n"))
    }

    @Test(
        "usual reasons (RFC 9110 §15)",
        arguments: [(200, "OK"), (404, "Not Found"), (505, "HTTP Version Not Supported"), (299, "")])
    func reasons(_ status: Int, _ reason: String) {
        #expect(HTTP1Status.reason(for: status) == reason)
    }
}
