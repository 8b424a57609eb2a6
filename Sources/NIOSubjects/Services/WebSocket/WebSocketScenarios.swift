import AnyloopSubjects

/// What a client sees of NIOWebSocket, in raw frames: Debian 12's libcurl does not speak WebSocket.
enum WebSocketScenarios {
    /// All of them.
    static let all: [ServiceScenario] =
        upgrades.map { scenario($0, .webSocket) } + frames.map { scenario($0, .webSocket) }
        + frames.prefix(4).map { scenario($0, .webSocketOverTLS) } + refusals.map { .curl($0, .webSocket) }

    private typealias Script = (name: String, title: String, steps: [WireDialogue.Step])

    private static func scenario(_ script: Script, _ service: Service) -> ServiceScenario {
        ServiceScenario(name: script.name, title: script.title, service: service) { target in
            WireDialogue(steps: script.steps).run(against: target)
        }
    }

    private static let request = Array(
        """
        GET /echo HTTP/1.1\r
        Host: localhost\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        Sec-WebSocket-Version: 13\r
        \r

        """.utf8)

    /// The key's answer is RFC 6455 §1.3's.
    private static let opening: [WireDialogue.Step] = [
        .send(request),
        .expectHead(["HTTP/1.1 101 ", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]),
    ]

    private static let closing: [WireDialogue.Step] = [
        .send(WebSocketBytes.fromClient(.close, [0x03, 0xE8])),
        .expect(WebSocketBytes.fromServer(.close, [0x03, 0xE8])), .expectEnd,
    ]

    private static let hello = Array("hello".utf8)

    /// RFC 6455 §4.2.
    private static let upgrades: [Script] = [
        ("upgrade/accepted", "The server answers the key, and closes when it is asked to", opening + closing),
        (
            "upgrade/by-bytes", "A request that comes byte by byte",
            [.sendByBytes(request), .expectHead(["101 ", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="])] + closing
        ),
        (
            "upgrade/frame-at-once", "A frame in the same segment as the request is not lost",
            [
                .send(request + WebSocketBytes.fromClient(.text, hello)), .expectHead(["101 "]),
                .expect(WebSocketBytes.fromServer(.text, hello)),
            ] + closing
        ),
        (
            "upgrade/after-request", "NIO upgrades with a connection's first request only",
            [
                .send(Array("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)),
                .expectHead(["HTTP/1.1 200 "]), .expect(Array("hello, world\n".utf8)), .send(request),
                .expectHead(["HTTP/1.1 200 "]), .expect(Array("GET 0\n".utf8)),
            ]
        ),
    ]

    /// RFC 6455 §5 and §7.
    private static let frames: [Script] = [
        (
            "frames/text", "A text comes back",
            opening + [
                .send(WebSocketBytes.fromClient(.text, hello)), .expect(WebSocketBytes.fromServer(.text, hello)),
            ] + closing
        ),
        (
            "frames/lengths", "Frames at the edges of the three forms of length",
            opening
                + [0, 125, 126, 65535, 65536, WebSocketEcho.frameLimit].flatMap { count -> [WireDialogue.Step] in
                    let data = PatternBytes.bytes(count: count)
                    return [
                        .send(WebSocketBytes.fromClient(.binary, data)),
                        .expect(WebSocketBytes.fromServer(.binary, data)),
                    ]
                } + closing
        ),
        (
            "frames/fragments", "A message in three frames, with a ping between them",
            opening + [
                .send(WebSocketBytes.fromClient(.text, Array("he".utf8), isFinal: false)),
                .send(WebSocketBytes.fromClient(.ping, Array("?".utf8))),
                .expect(WebSocketBytes.fromServer(.pong, Array("?".utf8))),
                .send(WebSocketBytes.fromClient(.continuation, Array("ll".utf8), isFinal: false)),
                .send(WebSocketBytes.fromClient(.continuation, Array("o".utf8))),
                .expect(WebSocketBytes.fromServer(.text, hello)),
            ] + closing
        ),
        (
            "frames/many", "300 messages before the first is read come back in order",
            opening + [
                .send((0..<300).flatMap { WebSocketBytes.fromClient(.text, Array("message \($0)".utf8)) }),
                .expect((0..<300).flatMap { WebSocketBytes.fromServer(.text, Array("message \($0)".utf8)) }),
            ] + closing
        ),
        (
            "frames/by-bytes", "A frame that comes byte by byte",
            opening + [
                .sendByBytes(WebSocketBytes.fromClient(.text, hello)),
                .expect(WebSocketBytes.fromServer(.text, hello)),
            ] + closing
        ),
        (
            "frames/too-large", "One byte more than a frame may have: closed with 1009",
            opening + [
                .send(WebSocketBytes.headFromClient(.binary, count: WebSocketEcho.frameLimit + 1)),
                .expect(WebSocketBytes.fromServer(.close, [0x03, 0xF1])), .expectEnd,
            ]
        ),
        (
            "frames/fragmented-control", "A control frame in pieces is against the protocol: closed with 1002",
            opening + [
                .send(WebSocketBytes.fromClient(.ping, [], isFinal: false)),
                .expect(WebSocketBytes.fromServer(.close, [0x03, 0xEA])), .expectEnd,
            ]
        ),
    ]

    /// Upgrades that do not come about: the request is one like any other (RFC 9110 §7.8).
    private static let refusals: [Scenario] = [
        .one(
            "refused/other-path", "A WebSocket where there is none", webSocketStep("/hello"),
            [.status(200), .body("hello, world\n"), .connections(1)]),
        .one(
            "refused/other-protocol", "An upgrade to something unknown",
            ScenarioStep("/hello").with { $0.fields = [("Connection", "Upgrade"), ("Upgrade", "h2c")] },
            [.status(200), .body("hello, world\n"), .connections(1)]),
    ]

    private static func webSocketStep(_ path: String) -> ScenarioStep {
        ScenarioStep(path).with {
            $0.fields = [
                ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ]
        }
    }
}

/// Frames of RFC 6455 §5.2, written down here once more, so that a fault of NIO's coders is not undone by its twin.
enum WebSocketBytes {
    /// The kinds of frames that the scenarios send.
    enum Opcode: UInt8 {
        case continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10
    }

    private static let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    /// A frame as a client sends it, masked.
    static func fromClient(_ opcode: Opcode, _ data: [UInt8], isFinal: Bool = true) -> [UInt8] {
        headFromClient(opcode, count: data.count, isFinal: isFinal)
            + data.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    /// The frame's head with the mask, without what it announces.
    static func headFromClient(_ opcode: Opcode, count: Int, isFinal: Bool = true) -> [UInt8] {
        var head = head(opcode, count: count, isFinal: isFinal)
        head[1] |= 0x80
        return head + mask
    }

    /// A whole message as a server sends it.
    static func fromServer(_ opcode: Opcode, _ data: [UInt8]) -> [UInt8] {
        head(opcode, count: data.count, isFinal: true) + data
    }

    private static func head(_ opcode: Opcode, count: Int, isFinal: Bool) -> [UInt8] {
        let first = opcode.rawValue | (isFinal ? 0x80 : 0)
        func bytes(_ width: Int) -> [UInt8] {
            (0..<width).reversed().map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
        }
        return switch count {
        case ...125: [first, UInt8(count)]
        case ...65535: [first, 126] + bytes(2)
        default: [first, 127] + bytes(8)
        }
    }
}
