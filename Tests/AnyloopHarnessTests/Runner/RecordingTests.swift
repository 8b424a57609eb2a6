import Testing

@testable import AnyloopHarness

struct RecordingTests {
    private func conversation(_ steps: [(Fixture.Direction, String)]) -> RecordedConversation {
        var conversation = RecordedConversation(number: 1)
        for (direction, text) in steps { conversation.append(direction, Array(text.utf8)) }
        return conversation
    }

    private func fixture(_ recording: RecordingText) throws -> Fixture {
        let expected = recording.text + "--- expect server\nevents head GET /; end\n"
        return try Fixture.parse(Array(expected.utf8), file: "r.wire") { name in
            recording.blobs.first { $0.name == name }?.bytes
        }
    }

    @Test func readsAreSegments() throws {
        var recorded = conversation([
            (.fromClient, "GET / HT"), (.fromClient, "TP/1.1\r\n\r\n"), (.fromServer, "HTTP/1.1"),
        ])
        recorded.append(.fromServer, .rst)
        let text = RecordingText(recorded, header: RecordingHeader(date: "2026-11-23"), file: "Fixtures/http1/a/b.wire")
        #expect(
            text.text == """
                wire 1
                id       http1/a/b
                source   recorded unknown <- unknown 2026-11-23
                tags     http1 recorded
                title    A conversation of unknown with unknown
                --- stream
                > "GET / HT"
                |
                > "TP/1.1\\r\\n"
                > "\\r\\n"
                < "HTTP/1.1"
                < !rst

                """)
        let fixture = try fixture(text)
        #expect(fixture.stream(for: .server).boundaries == [8])
        #expect(fixture.stream(for: .client).endsWithReset)
    }

    @Test("a side that resets after its end has ended once")
    func resetAfterEnd() throws {
        var recorded = conversation([(.fromClient, "GET / HTTP/1.1\r\n\r\n")])
        recorded.append(.fromServer, .fin)
        recorded.append(.fromClient, Array("more".utf8))
        recorded.append(.fromServer, .rst)
        recorded.append(.fromClient, .rst)
        let text = RecordingText(recorded, header: RecordingHeader(date: "d"), file: "r.wire")
        let controls = try fixture(text).steps.filter { if case .control = $0 { true } else { false } }
        #expect(controls == [.control(.fromServer, .fin), .control(.fromClient, .rst)])
    }

    @Test func bytesComeBackExactly() throws {
        let odd = (0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 3) }
        var recorded = RecordedConversation(number: 1)
        recorded.append(.fromClient, Array("GET / HTTP/1.1\r\n\r\n".utf8) + odd)
        recorded.append(.fromClient, [UInt8](repeating: 0x61, count: 5000))
        recorded.append(.fromClient, Array(String(repeating: "line of text\n", count: 300).utf8) + Array("line".utf8))
        let text = RecordingText(recorded, header: RecordingHeader(date: "d"), file: "r.wire")
        var all: [UInt8] = []
        for case .bytes(_, let bytes) in recorded.steps { all += bytes }
        #expect(try fixture(text).stream(for: .server).bytes == all)
        #expect(text.text.contains("repeat(5000, \"a\")"))
        #expect(text.text.contains("repeat(300, \"line of text\\n\")"))
        #expect(text.blobs.isEmpty)
    }

    /// Bytes without a period, so that they cannot be written as `repeat`.
    private func noise(_ count: Int) -> [UInt8] {
        var state: UInt32 = 1
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }

    @Test(arguments: [(RecordingText.blobThreshold, 0), (RecordingText.blobThreshold + 1, 1)])
    func longRunsGoBeside(count: Int, blobs: Int) throws {
        var recorded = RecordedConversation(number: 1)
        recorded.append(.fromServer, noise(count))
        let text = RecordingText(recorded, header: RecordingHeader(date: "d"), file: "x/r.wire")
        #expect(text.blobs.count == blobs)
        #expect(try fixture(text).stream(for: .client).bytes == noise(count))
        if blobs > 0 { #expect(text.text.contains("< blob(\"r-1.bin\", \(count), sha256:")) }
    }

    @Test(arguments: [
        ("Authorization: Basic dTpw\r\n", "Authorization: Basic xxxx\r\n"),
        ("authorization:Bearer a.b-c\r\n", "authorization:Bearer x.x-x\r\n"),
        ("Cookie: id=42; theme=dark\r\n", "Cookie: xx=xx; xxxxx=xxxx\r\n"),
        ("X-Authorization: Basic dTpw\r\n", "X-Authorization: Basic dTpw\r\n"),
        ("Authorization:\r\n", "Authorization:\r\n"),
    ])
    func redactionKeepsLengths(line: String, expected: String) {
        var bytes = Array("GET / HTTP/1.1\r\n\(line)\r\n".utf8)
        Redaction(fields: ["Authorization", "cookie"]).hide(in: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "GET / HTTP/1.1\r\n\(expected)\r\n")
    }

    @Test func redactionReachesAcrossSegments() {
        let recorded = conversation([
            (.fromClient, "A: 1\r\nAuthori"), (.fromServer, "x"), (.fromClient, "zation: sec"),
            (.fromClient, "ret\r\n"),
        ])
        let hidden = recorded.redacted(Redaction(fields: ["authorization"]))
        var client = ""
        for case .bytes(.fromClient, let bytes) in hidden.steps {
            client += String(decoding: bytes, as: UTF8.self) + "|"
        }
        #expect(client == "A: 1\r\nAuthori|zation: xxx|xxx\r\n|")
    }
}
