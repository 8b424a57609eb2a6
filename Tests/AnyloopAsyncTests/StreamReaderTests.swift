import AnyloopAsync
import AnyloopCore
import AnyloopTesting
import Testing

/// What asyncio's `StreamReader` does, fed by hand; the rules are those of `asyncio/streams.py` over rules 28 and 68.
@Suite struct StreamReaderTests {
    /// Runs `body` with a reader that holds `fed`.
    private static func with(
        _ kind: LoopKind, limit: Int = 65536, _ fed: String = "", isEnded: Bool = false,
        _ body: @escaping (any TaskLoop, StreamReader) async throws -> Void
    ) throws {
        try kind.run { loop in
            let reader = try StreamReader(loop: loop, limit: limit)
            reader.feed(fed)
            if isEnded { reader.feedEOF() }
            try await body(loop, reader)
        }
    }

    @Test(
        "rule 28: read gives what is there without a turn, and waits for the first byte", arguments: LoopKind.allCases)
    func read(_ kind: LoopKind) throws {
        try Self.with(kind, "hello") { (loop, reader) async throws in
            #expect(try await reader.read(2).text == "he")
            #expect(try await reader.read(0).text == "")
            #expect(try await reader.read(100).text == "llo")
            loop.callSoon { reader.feed("later") }
            #expect(try await reader.read(100).text == "later")
            loop.callSoon { reader.feedEOF() }
            #expect(!reader.atEOF)
            #expect(try await reader.read(1).text == "")
            #expect(reader.atEOF)
            #expect(try await reader.read().text == "")
        }
    }

    @Test("rule 28: read of everything until the end", arguments: LoopKind.allCases)
    func readAll(_ kind: LoopKind) throws {
        try Self.with(kind, limit: 3, "hello") { (loop, reader) async throws in
            loop.callSoon { reader.feed(", world") }
            loop.callLater(.milliseconds(1)) { reader.feedEOF() }
            #expect(try await reader.read().text == "hello, world")
        }
    }

    @Test("rule 28: readExactly, to the byte at the end of the stream", arguments: LoopKind.allCases)
    func readExactly(_ kind: LoopKind) throws {
        try Self.with(kind, limit: 2, "abc") { (loop, reader) async throws in
            #expect(try await reader.readExactly(0).text == "")
            #expect(try await reader.readExactly(2).text == "ab")
            loop.callSoon { reader.feed("de") }
            // More than the limit is no matter.
            #expect(try await reader.readExactly(3).text == "cde")
            reader.feed("fgh")
            reader.feedEOF()
            do {
                _ = try await reader.readExactly(4)
                Issue.record("one byte too many")
            } catch let error as IncompleteReadError {
                #expect(error == IncompleteReadError(partial: Array("fgh".utf8), expected: 4))
                #expect("\(error)" == "3 bytes read on a total of 4 expected bytes")
            }
            #expect(reader.atEOF)
            #expect(
                await misuse { _ = try await reader.readExactly(-1) }
                    == .argument("readexactly size can not be less than zero"))
        }
    }

    @Test("rule 28: readUntil at the limit, and one byte past it", arguments: LoopKind.allCases)
    func readUntilLimits(_ kind: LoopKind) throws {
        try Self.with(kind, limit: 4, "abcd\nabcde\nabcd") { (loop, reader) async throws in
            #expect(try await reader.readUntil().text == "abcd\n")
            await Self.expectOverrun("Separator is found, but chunk is longer than limit", 5) {
                _ = try await reader.readUntil()
            }
            // What overran is still there.
            #expect(try await reader.readExactly(6).text == "abcde\n")
            loop.callSoon { reader.feed("e") }
            await Self.expectOverrun("Separator is not found, and chunk exceed the limit", 5) {
                _ = try await reader.readUntil()
            }
            #expect(try await reader.readExactly(5).text == "abcde")
        }
    }

    private static func expectOverrun(
        _ message: String, _ consumed: Int, _ body: () async throws -> Void
    ) async {
        do {
            try await body()
            Issue.record("no overrun")
        } catch let error as LimitOverrunError {
            #expect(error == LimitOverrunError(message: message, consumed: consumed))
            #expect("\(error)" == message)
        } catch { Issue.record("\(error)") }
    }

    @Test("rule 28: readUntil over separators that come in pieces", arguments: LoopKind.allCases)
    func readUntilInPieces(_ kind: LoopKind) throws {
        try Self.with(kind, "one\r") { (loop, reader) async throws in
            let end = Array("\r\n".utf8)
            loop.callSoon {
                reader.feed("\r")
                loop.callSoon { reader.feed("\ntwo\r\nthree") }
            }
            #expect(try await reader.readUntil(end).text == "one\r\r\n")
            #expect(try await reader.readUntil(end).text == "two\r\n")
            reader.feedEOF()
            do {
                _ = try await reader.readUntil(end)
                Issue.record("a separator was found")
            } catch let error as IncompleteReadError {
                #expect(error.partial.text == "three" && error.expected == nil)
                #expect("\(error)" == "5 bytes read on a total of undefined expected bytes")
            }
        }
    }

    @Test("rule 28: of several separators the one that ends first counts", arguments: LoopKind.allCases)
    func severalSeparators(_ kind: LoopKind) throws {
        try Self.with(kind, "one;two--three-END;") { (_, reader) async throws in
            func next(_ separators: String...) async throws -> String {
                try await reader.readUntil(anyOf: separators.map { Array($0.utf8) }).text
            }
            #expect(try await next("--", ";") == "one;")
            #expect(try await next(";", "--") == "two--")
            #expect(try await next("-END", "END") == "three-END")
            #expect(try await next(";") == ";")
            #expect(
                await misuse { _ = try await reader.readUntil(anyOf: []) }
                    == .argument("Separator should contain at least one element"))
            #expect(
                await misuse { _ = try await reader.readUntil([]) }
                    == .argument("Separator should be at least one-byte string"))
        }
    }

    @Test("rule 28: readLine, and what a line that is too long leaves", arguments: LoopKind.allCases)
    func readLine(_ kind: LoopKind) throws {
        try Self.with(kind, limit: 3, "abc\nabcd\nabcd") { (loop, reader) async throws in
            #expect(try await reader.readLine().text == "abc\n")
            #expect(
                await misuse { _ = try await reader.readLine() }
                    == .argument("Separator is found, but chunk is longer than limit"))
            // No newline yet: all of it is dropped.
            #expect(
                await misuse { _ = try await reader.readLine() }
                    == .argument("Separator is not found, and chunk exceed the limit"))
            loop.callSoon {
                reader.feed("end")
                reader.feedEOF()
            }
            #expect(try await reader.readLine().text == "end")
            #expect(try await reader.readLine().text == "")
            #expect(reader.atEOF)
        }
    }

    @Test("rule 28: errors come before what is buffered; the end after it", arguments: LoopKind.allCases)
    func exceptions(_ kind: LoopKind) throws {
        try Self.with(kind, "left") { (loop, reader) async throws in
            loop.callSoon { reader.setException(Broken()) }
            await #expect(throws: Broken()) { _ = try await reader.readExactly(5) }
            await #expect(throws: Broken()) { _ = try await reader.readExactly(1) }
            await #expect(throws: Broken()) { _ = try await reader.read(1) }
            await #expect(throws: Broken()) { _ = try await reader.readUntil() }
            #expect(reader.exception as? Broken == Broken())
        }
    }

    @Test("rule 28: one task reads at a time; a cancelled one makes room", arguments: LoopKind.allCases)
    func oneReader(_ kind: LoopKind) throws {
        try Self.with(kind) { (loop, reader) async throws in
            let first = loop.createTask { try await reader.read(1) }
            try await loop.sleep(for: .zero)
            let text = "called while another coroutine is already waiting for incoming data"
            #expect(await misuse { _ = try await reader.read(1) } == .state("read() \(text)"))
            #expect(await misuse { _ = try await reader.readLine() } == .state("readuntil() \(text)"))
            #expect(await misuse { _ = try await reader.readExactly(1) } == .state("readexactly() \(text)"))
            first.cancel()
            try await loop.sleep(for: .zero)
            #expect(first.isCancelled)
            loop.callSoon { reader.feed("x") }
            #expect(try await reader.read(1).text == "x")
        }
    }

    @Test("rule 28: a limit of zero or less is refused", arguments: [0, -1])
    func limits(_ limit: Int) throws {
        try LoopKind.native.run { loop in
            #expect(
                await misuse { _ = try StreamReader(loop: loop, limit: limit) } == .argument("Limit cannot be <= 0"))
            #expect(
                await misuse { _ = try await loop.startServer(host: "127.0.0.1", port: 0, limit: limit) { _, _ in } }
                    == .argument("Limit cannot be <= 0"))
        }
    }

    @Test("rule 28: lines and chunks as sequences", arguments: LoopKind.allCases)
    func sequences(_ kind: LoopKind) throws {
        try Self.with(kind, "a\nbc\n\nd", isEnded: true) { (_, reader) async throws in
            var lines: [String] = []
            for try await line in reader.lines { lines.append(line.text) }
            #expect(lines == ["a\n", "bc\n", "\n", "d"])
        }
        try Self.with(kind, limit: 4, "abcdefgh", isEnded: true) { (_, reader) async throws in
            var chunks: [String] = []
            for try await chunk in reader.chunks(upTo: 3) { chunks.append(chunk.text) }
            #expect(chunks == ["abc", "def", "gh"])
            for try await _ in reader.chunks() { Issue.record("bytes after the end") }
        }
    }
}

extension StreamReader {
    fileprivate func feed(_ text: String) { feedData(Array(text.utf8).span) }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }
}
