import AnyloopSubjects

/// What curl sees of the framings of swift-nio-extras: by telnet where they are lines, in raw bytes where they are not.
enum FramingScenarios {
    /// All of them.
    static let all: [ServiceScenario] = telnet.map(telnetScenario) + raw

    private static let telnet: [(name: String, title: String, input: String, output: String)] = [
        ("telnet/one", "A line, and the end", "hello\nquit\n", "5 hello\nbye\n"),
        (
            "telnet/carriage-returns", "A carriage return before the end is no part of the line", "a\r\nquit\r\n",
            "1 a\nbye\n"
        ),
        ("telnet/empty", "Empty lines are lines", "\n\nquit\n", "0 \n0 \nbye\n"),
        (
            "telnet/many", "2,000 lines at once are answered in order",
            (0..<2000).map { "line \($0)\n" }.joined() + "quit\n",
            (0..<2000).map { "\("line \($0)".utf8.count) line \($0)\n" }.joined() + "bye\n"
        ),
        (
            "telnet/long", "A line at the limit", String(repeating: "x", count: FramingLimit.line - 1) + "\nquit\n",
            "\(FramingLimit.line - 1) " + String(repeating: "x", count: FramingLimit.line - 1) + "\nbye\n"
        ),
        (
            "telnet/too-long", "One byte more without the line's end is refused",
            String(repeating: "x", count: FramingLimit.line + 1), "line too long\n"
        ),
    ]

    private static func telnetScenario(
        _ script: (name: String, title: String, input: String, output: String)
    ) -> ServiceScenario {
        ServiceScenario(name: script.name, title: script.title, service: .lines) { target in
            guard let curl = CurlHandle() else { return ["libcurl is out of memory"] }
            let (output, code) = curl.telnet(target, input: Array(script.input.utf8), timeLimit: 10_000)
            guard code == 0 else { return ["curl says \(code) after \(output.count) bytes"] }
            let text = String(decoding: output, as: UTF8.self)
            return text == script.output ? [] : ["the answer is '\(text.prefix(200))'"]
        }
    }

    private static func dialogue(
        _ name: String, _ title: String, _ service: Service, _ steps: [WireDialogue.Step]
    ) -> ServiceScenario {
        ServiceScenario(name: name, title: title, service: service) { target in
            WireDialogue(steps: steps).run(against: target)
        }
    }

    private static func frame(_ data: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: data.count >> 8), UInt8(truncatingIfNeeded: data.count)] + data
    }

    private static let raw: [ServiceScenario] = [
        dialogue(
            "raw/by-bytes", "Lines that come byte by byte", .lines,
            [.sendByBytes(Array("hello\nquit\n".utf8)), .expect(Array("5 hello\nbye\n".utf8)), .expectEnd]),
        dialogue(
            "raw/lengths", "Frames from none to all that two bytes can count", .lengthPrefixed,
            [0, 1, 255, 256, 65535].flatMap { count -> [WireDialogue.Step] in
                let frame = frame(PatternBytes.bytes(count: count))
                return [.send(frame), .expect(frame)]
            }),
        dialogue(
            "raw/by-bytes", "A frame that comes byte by byte", .lengthPrefixed,
            [.sendByBytes(frame(Array("hello".utf8))), .expect(frame(Array("hello".utf8)))]),
        dialogue(
            "raw/many", "1,000 frames at once come back in order", .lengthPrefixed,
            [
                .send((0..<1000).flatMap { frame(Array("frame \($0)".utf8)) }),
                .expect((0..<1000).flatMap { frame(Array("frame \($0)".utf8)) }),
            ]),
        dialogue(
            "raw/frames", "Frames of eight bytes, sent as they come and byte by byte", .fixedLength,
            [
                .send(Array("12345678abcdefgh1234".utf8)), .expect(Array("12345678abcdefgh".utf8)),
                .sendByBytes(Array("5678".utf8)), .expect(Array("12345678".utf8)),
            ]),
        dialogue(
            "raw/messages", "Messages of JSON-RPC", .jsonRPC,
            [
                .send(Array("Content-Length: 2\r\n\r\n{}content-length: 4\r\n\r\n".utf8)),
                .expect(Array("Content-Length: 2\r\n\r\n{}".utf8)),
                .send(Array("null".utf8)), .expect(Array("Content-Length: 4\r\n\r\nnull".utf8)),
            ]),
        dialogue(
            "raw/malformed", "A length that is no number ends the connection", .jsonRPC,
            [.send(Array("Content-Length: x\r\n\r\n".utf8)), .expectEnd]),
    ]
}
