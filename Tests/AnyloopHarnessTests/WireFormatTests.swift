import AnyloopHarness
import Testing

/// The `.wire` format: what is read, what is refused where, and its one canonical form.
@Suite struct WireFormatTests {
    static let canonical = """
        wire 1
        id       http1/chunked/bare-lf-size
        # why
        spec     RFC9112#7.1 MUST
        spec     RFC9110#8.6 SHOULD NOT
        source   written RFC9112#7.1.1
        command  curl -s # not a comment
        redact   authorization=same-length
        requests GET HEAD
        tags     http1 chunked  # the protocol first
        title    one line of prose
        --- stream
        > "POST / HTTP/1.1\\r\\nHost: a\\r\\n"
        |  # as recorded

        > x"00ff" repeat(3, "a\\r\\n\\t\\0\\\\\\"\\x7f")
        > !pause
        > !wait(10ms)
        > !resume
        < "HTTP/1.1 200 OK\\r\\n"
        > !fin
        < !rst
        --- expect server
        events   head POST "/a b" HTTP/1.1; field "Host: a"; body "abc"; trailer "X: y"; end
        events   error bad-chunk-size @71..72
        wire     < "HTTP/1.1 " {status 4xx} " " {line} "\\r\\nDate: " {date} {any}
        close
        or       RFC9112#2.2 MAY
        events   head POST /a;b; body repeat(2, x"00"); end; upgrade; surplus 3
        open
        --- expect client
        events   head 200; body 0 sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855; end

        """

    @Test func canonicalFormStays() throws {
        let text = Array(Self.canonical.utf8)
        #expect(try Fixture.format(text, file: "a.wire") == Self.canonical)
    }

    @Test func readsWhatIsWritten() throws {
        let fixture = try Fixture.parse(Array(Self.canonical.utf8), file: "a.wire")
        #expect(fixture.id == "http1/chunked/bare-lf-size")
        #expect(fixture.group == "http1/chunked")
        #expect(fixture.specs.map(\.section) == ["RFC9112#7.1", "RFC9110#8.6"])
        #expect(fixture.specs.map(\.level) == ["MUST", "SHOULD NOT"])
        #expect(fixture.command == "curl -s # not a comment")
        #expect(fixture.requests == ["GET", "HEAD"])
        #expect(fixture.tags == ["http1", "chunked"])
        let unit: [UInt8] = [0x61, 0x0D, 0x0A, 0x09, 0, 0x5C, 0x22, 0x7F]
        let stream = fixture.stream(for: .server)
        #expect(stream.bytes == Array("POST / HTTP/1.1\r\nHost: a\r\n".utf8) + [0, 0xFF] + unit + unit + unit)
        #expect(stream.boundaries == [26])
        #expect(stream.marks.map(\.control) == [.pause, .wait(.milliseconds(10)), .resume, .fin])
        #expect(fixture.stream(for: .client).endsWithReset)
        let server = try #require(fixture.server)
        #expect(server.alternatives.count == 2)
        #expect(server.alternatives[0].closes == true)
        #expect(server.alternatives[0].events?.last == .error(code: "bad-chunk-size", offsets: 71..<72))
        #expect(server.alternatives[1].spec == Fixture.Spec(section: "RFC9112#2.2", level: "MAY"))
        #expect(server.alternatives[1].events?.first == .head([Array("POST".utf8), Array("/a;b".utf8)]))
        #expect(server.alternatives[1].events?[1] == .body(ExpectedBytes(bytes: [0, 0], count: 2)))
        #expect(fixture.client?.alternatives[0].wire == nil)
    }

    @Test func headerIsSortedAndSpacesAreEvened() throws {
        let loose = """
            wire   1

            title  t
            id x
            # stays with its tag
            tags   a   b
            source written by hand
            spec R#1   MUST

            --- stream
            >"a"  x"0A"repeat( 2 ,"b" )
            |# c


            <  !fin
            --- expect  server
            events end;error   x
            """
        let expected = """
            wire 1
            id       x
            spec     R#1 MUST
            source   written by hand
            # stays with its tag
            tags     a b
            title    t
            --- stream
            > "a" x"0a" repeat(2, "b")
            |  # c

            < !fin
            --- expect server
            events   end; error x

            """
        #expect(try Fixture.format(Array(loose.utf8), file: "a") == expected)
        #expect(try Fixture.format(Array(expected.utf8), file: "a") == expected)
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var replacing: String
        var with: String
        var line: Int
        var column: Int
        var expected: String
        var testDescription: String { "'\(replacing)' → '\(with)'" }
    }

    static let bad: [Bad] = [
        Bad(replacing: "wire 1", with: "wire 2", line: 1, column: 6, expected: "version 1"),
        Bad(replacing: "title ", with: "tittle", line: 11, column: 1, expected: "one of wire, id"),
        Bad(replacing: "written", with: "found", line: 6, column: 10, expected: "'written …'"),
        Bad(
            replacing: "spec     RFC9112#7.1 MUST", with: "spec     RFC9112", line: 4, column: 10, expected: "a section"
        ),
        Bad(
            replacing: "spec     RFC9112#7.1 MUST", with: "id       x", line: 4, column: 10, expected: "'id' only once"),
        Bad(replacing: "Host: a\\r\\n\"", with: "Host: a\\r\\n", line: 13, column: 34, expected: "a closing quote"),
        Bad(replacing: "Host: a\\r", with: "Host: a\\q", line: 13, column: 30, expected: "an escape"),
        Bad(replacing: "\\x7f", with: "\\x7", line: 16, column: 38, expected: "two hexadecimal digits"),
        Bad(replacing: "00ff", with: "00f", line: 16, column: 8, expected: "the second digit"),
        Bad(replacing: "repeat(3", with: "repeat(x", line: 16, column: 18, expected: "how often"),
        Bad(replacing: "!pause", with: "!paus", line: 17, column: 3, expected: "!fin, !rst, !pause"),
        Bad(replacing: "10ms", with: "10h", line: 18, column: 11, expected: "ms or s"),
        Bad(replacing: "< \"HTTP", with: "? \"HTTP", line: 20, column: 1, expected: "> or <"),
        Bad(replacing: "> !resume", with: "> !fin", line: 21, column: 3, expected: "nothing more from a side"),
        Bad(replacing: "; end\n", with: "; ended\n", line: 24, column: 82, expected: "head, field, body"),
        Bad(replacing: "body \"abc\"", with: "bodi \"abc\"", line: 24, column: 54, expected: "head, field, body"),
        Bad(replacing: "Host: a\";", with: "Host a\";", line: 24, column: 43, expected: "\"Name: value\""),
        Bad(replacing: "71..72", with: "72..71", line: 25, column: 36, expected: "an offset not below 72"),
        Bad(replacing: "4xx", with: "4x", line: 26, column: 24, expected: "{any}, {line}"),
        Bad(replacing: "close", with: "closed", line: 27, column: 1, expected: "events, wire, or, close or open"),
        Bad(replacing: "#2.2 MAY", with: "#2.2 CAN", line: 28, column: 10, expected: "a section such as"),
        Bad(replacing: "--- expect client", with: "--- expect peer", line: 31, column: 1, expected: "'--- stream'"),
        Bad(
            replacing: "--- expect client", with: "--- expect server", line: 31, column: 1, expected: "the sections in"),
        Bad(replacing: "sha256:e3", with: "sha256:", line: 32, column: 27, expected: "64 lower-case digits"),
        Bad(replacing: "title    one line of prose\n", with: "", line: 1, column: 1, expected: "a header line 'title'"),
        Bad(replacing: "# why", with: "\u{7}", line: 3, column: 1, expected: "lines of text"),
    ]

    @Test(arguments: bad) func saysWhatIsWrongAndWhere(_ bad: Bad) throws {
        let range = try #require(Self.canonical.firstRange(of: bad.replacing))
        let text = Self.canonical.replacingCharacters(in: range, with: bad.with)
        let error = try #require(throws: FixtureError.self) {
            _ = try Fixture.parse(Array(text.utf8), file: "f.wire")
        }
        #expect(error.file == "f.wire")
        #expect(error.line == bad.line, "\(error)")
        #expect(error.column == bad.column, "\(error)")
        #expect(error.expected.contains(bad.expected), "\(error)")
        #expect(error.description.hasPrefix("f.wire:\(bad.line):\(bad.column): expected "))
    }

    static let small = "wire 1\nid x\nsource recorded by\ntags t\ntitle t\n--- stream\n"

    @Test func streamLimitHoldsAndOnePastIsRefused() throws {
        var limits = FixtureLimits()
        limits.streamBytes = 6
        let fits = Self.small + "> repeat(3, \"ab\")\n"
        let over = Self.small + "> repeat(3, \"ab\") \"c\"\n"
        #expect(try Fixture.parse(Array(fits.utf8), file: "f", limits: limits).steps.count == 1)
        #expect(throws: FixtureError.self) { try Fixture.parse(Array(over.utf8), file: "f", limits: limits) }
        #expect(throws: FixtureError.self) {
            try Fixture.parse(Array((Self.small + "> repeat(9999999999, \"ab\")\n").utf8), file: "f")
        }
    }

    @Test func fileAndNestingLimits() throws {
        var limits = FixtureLimits()
        limits.fileBytes = Self.small.utf8.count
        #expect(throws: Never.self) { try Fixture.parse(Array(Self.small.utf8), file: "f", limits: limits) }
        #expect(throws: FixtureError.self) {
            try Fixture.parse(Array((Self.small + "\n").utf8), file: "f", limits: limits)
        }
        limits = FixtureLimits()
        limits.repeatDepth = 1
        let one = Self.small + "> repeat(2, \"a\")\n"
        let two = Self.small + "> repeat(2, repeat(2, \"a\"))\n"
        #expect(throws: Never.self) { try Fixture.parse(Array(one.utf8), file: "f", limits: limits) }
        #expect(throws: FixtureError.self) { try Fixture.parse(Array(two.utf8), file: "f", limits: limits) }
    }

    @Test func blobsAreReadAndChecked() throws {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        let text = Array((Self.small + "> blob(\"a.bin\", 3, sha256:\(digest))\n").utf8)
        let fixture = try Fixture.parse(text, file: "f") { $0 == "a.bin" ? Array("abc".utf8) : nil }
        #expect(fixture.stream(for: .server).bytes == Array("abc".utf8))
        #expect(throws: FixtureError.self) { try Fixture.parse(text, file: "f") { _ in Array("abd".utf8) } }
        #expect(throws: FixtureError.self) { try Fixture.parse(text, file: "f") }
        #expect(throws: FixtureError.self) {
            try Fixture.parse(Array((Self.small + "> blob(\"../a\", 3, sha256:\(digest))\n").utf8), file: "f")
        }
    }

    @Test func everyByteSurvivesFormatting() throws {
        let bytes = (0...255).map { UInt8($0) }
        let hexadecimal = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        let escaped = hexadecimal.map { "\\x" + $0 }.joined()
        let text = Self.small + "> \"\(escaped)\"\n> x\"\(hexadecimal.joined().uppercased())\"\n"
        let formatted = try Fixture.format(Array(text.utf8), file: "f")
        let fixture = try Fixture.parse(Array(formatted.utf8), file: "f")
        #expect(fixture.stream(for: .server).bytes == bytes + bytes)
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
