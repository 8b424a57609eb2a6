extension Fixture {
    /// Reads a `.wire` file.
    ///
    /// `blob` reads a file beside the fixture, by its name; nil if there is none.
    /// - Throws: `FixtureError` at the first thing that is not as it should be.
    public static func parse(
        _ text: [UInt8], file: String, limits: FixtureLimits = .standard,
        blob: @escaping (String) -> [UInt8]? = { _ in nil }
    ) throws(FixtureError) -> Fixture {
        let document = try WireDocument.parse(text, file: file, limits: limits)
        var builder = FixtureBuilder(document: document, limits: limits, blob: blob)
        return try builder.build()
    }

    /// The canonical form of a `.wire` file; the same text if it has it already.
    ///
    /// - Throws: `FixtureError` as `parse` does, except for what blobs hold.
    public static func format(
        _ text: [UInt8], file: String, limits: FixtureLimits = .standard
    ) throws(FixtureError) -> String {
        let document = try WireDocument.parse(text, file: file, limits: limits)
        var builder = FixtureBuilder(document: document, limits: limits, blob: nil)
        _ = try builder.build()
        return document.formatted()
    }
}

/// Makes a `Fixture` of a document's lines, and says what is missing or contradicts itself.
private struct FixtureBuilder {
    let document: WireDocument
    let limits: FixtureLimits
    /// Reads a blob; nil for the formatter, to which a blob's place is enough.
    let blob: ((String) -> [UInt8]?)?
    var headers: [String: [(line: WireDocument.Line, value: String)]] = [:]
    var steps: [Fixture.Step] = []
    var streamBytes = 0
    var ended: Set<Fixture.Direction> = []
    var expectations: [WireDocument.Section: Expectation] = [:]

    init(document: WireDocument, limits: FixtureLimits, blob: ((String) -> [UInt8]?)?) {
        self.document = document
        self.blob = blob
        self.limits = limits
    }

    mutating func build() throws(FixtureError) -> Fixture {
        var section: WireDocument.Section?
        for line in document.lines {
            switch line.content {
            case .blank, .comment: break
            case .header(let keyword, let value): try addHeader(keyword, value, line)
            case .section(let next):
                section = next
                if next != .stream { expectations[next] = Expectation(alternatives: [.init(line: line.number)]) }
            case .bytes(let direction, let pieces):
                guard !ended.contains(direction) else {
                    throw failure(line, "nothing more from a side after its !fin or !rst", found: "bytes")
                }
                let bytes = try expand(pieces, line)
                streamBytes += bytes.count
                guard streamBytes <= limits.streamBytes else {
                    throw failure(line, "at most \(limits.streamBytes) bytes in all", found: "more")
                }
                steps.append(.bytes(direction, bytes))
            case .boundary: steps.append(.boundary)
            case .control(let direction, let control):
                guard !ended.contains(direction) else {
                    throw failure(line, "nothing more from a side after its !fin or !rst", found: "another event")
                }
                if control == .fin || control == .rst { ended.insert(direction) }
                steps.append(.control(direction, control))
            default: try addExpectation(line, in: section)
            }
        }
        guard section != nil else { throw failure(document.lines.last, "'--- stream'", found: "the end of the file") }
        return try fixture()
    }

    private mutating func addHeader(
        _ keyword: String, _ value: String, _ line: WireDocument.Line
    ) throws(FixtureError) {
        let repeatable = keyword == "spec" || keyword == "redact"
        guard repeatable || headers[keyword] == nil else {
            throw failure(line, "'\(keyword)' only once", found: "a second one")
        }
        if headers["wire"] == nil, keyword != "wire" { throw failure(line, "'wire 1' first", found: "'\(keyword)'") }
        switch keyword {
        case "wire": guard value == "1" else { throw failure(line, FormatVersion.expected, found: "'\(value)'") }
        case "spec":
            guard Fixture.Spec(value) != nil else {
                let expected = "a section such as RFC9112#7.1, then MUST, MUST NOT, SHOULD, SHOULD NOT or MAY"
                throw failure(line, expected, found: "'\(value)'")
            }
        case "source":
            guard value.hasPrefix("written ") || value.hasPrefix("recorded ") else {
                throw failure(line, "'written …' or 'recorded …'", found: "'\(value)'")
            }
        case "id":
            let valid = value.utf8.allSatisfy {
                ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x41 && $0 <= 0x5A) || $0 == 0x2F
                    || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
            }
            guard valid, !value.hasPrefix("/"), !value.hasSuffix("/") else {
                throw failure(line, "a path of letters, digits and - . _ /", found: "'\(value)'")
            }
        default: break
        }
        headers[keyword, default: []].append((line, value))
    }

    private mutating func addExpectation(
        _ line: WireDocument.Line, in section: WireDocument.Section?
    ) throws(FixtureError) {
        guard let section, var expectation = expectations[section], var last = expectation.alternatives.popLast()
        else { throw failure(line, "a section before it", found: "an expectation") }
        switch line.content {
        case .events(let events):
            var expected = last.events ?? []
            for event in events { expected.append(try expectedEvent(event, line)) }
            last.events = expected
        case .wire(let items):
            var pattern = last.wire ?? []
            for item in items {
                switch item {
                case .wildcard(let wildcard): pattern.append(wildcard)
                case .piece(let piece): pattern.append(.bytes(try expand([piece], line)))
                }
            }
            last.wire = pattern
        case .connection(let closes):
            guard last.closes == nil else { throw failure(line, "close or open once", found: "a second one") }
            last.closes = closes
        case .alternative(let spec):
            guard last.events != nil || last.wire != nil || last.closes != nil else {
                throw failure(line, "an outcome before 'or'", found: "none")
            }
            expectation.alternatives.append(last)
            last = Expectation.Alternative(spec: spec, line: line.number)
        default: throw failure(line, "events, wire, or, close or open", found: "something else")
        }
        expectation.alternatives.append(last)
        expectations[section] = expectation
    }

    private func expectedEvent(
        _ event: WireEvent, _ line: WireDocument.Line
    ) throws(FixtureError) -> ExpectedEvent {
        switch event {
        case .head(let words): return .head(words)
        case .field(let text): return .field(text)
        case .trailer(let text): return .trailer(text)
        case .end: return .end
        case .upgrade: return .upgrade
        case .error(let code, let offsets): return .error(code: code, offsets: offsets)
        case .body(let amount): return .body(try expectedBytes(amount, line))
        case .surplus(let amount): return .surplus(try expectedBytes(amount, line))
        }
    }

    private func expectedBytes(
        _ amount: WireEvent.Amount, _ line: WireDocument.Line
    ) throws(FixtureError) -> ExpectedBytes {
        switch amount {
        case .count(let count, let sha256): return ExpectedBytes(count: count, sha256: sha256)
        case .pieces(let pieces):
            let bytes = try expand(pieces, line)
            return ExpectedBytes(bytes: bytes, count: bytes.count)
        }
    }

    private func expand(
        _ pieces: [WirePiece], _ line: WireDocument.Line
    ) throws(FixtureError) -> [UInt8] {
        var bytes: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .text(let text), .hexadecimal(let text): bytes += text
            case .repeated(let count, let inner):
                let unit = try expand([inner], line)
                let (total, overflow) = unit.count.multipliedReportingOverflow(by: count)
                guard !overflow, total <= limits.streamBytes - bytes.count else {
                    throw failure(line, "at most \(limits.streamBytes) bytes", found: "more")
                }
                bytes.reserveCapacity(bytes.count + total)
                for _ in 0..<count where !unit.isEmpty { bytes += unit }
            case .blob(let name, let count, let sha256):
                guard count <= limits.streamBytes - bytes.count else {
                    throw failure(line, "at most \(limits.streamBytes) bytes", found: "more")
                }
                guard let blob else { break }
                guard let content = blob(name) else {
                    throw failure(line, "a file '\(name)' beside the fixture", found: "none that can be read")
                }
                guard content.count == count, SHA256.hexadecimal(of: content) == sha256 else {
                    let found = "\(content.count) bytes with sha256:\(SHA256.hexadecimal(of: content))"
                    throw failure(line, "'\(name)' to hold \(count) bytes with that sha256", found: found)
                }
                bytes += content
            }
        }
        return bytes
    }

    private func fixture() throws(FixtureError) -> Fixture {
        for keyword in ["wire", "id", "source", "tags", "title"] where headers[keyword] == nil {
            throw failure(nil, "a header line '\(keyword)'", found: "none")
        }
        let source = value("source")
        if source.hasPrefix("written"), headers["spec"] == nil {
            throw failure(nil, "a header line 'spec' in a written fixture", found: "none")
        }
        for (section, expectation) in expectations {
            for alternative in expectation.alternatives
            where alternative.events == nil && alternative.wire == nil && alternative.closes == nil {
                throw FixtureError(
                    file: document.file, line: alternative.line, column: 1,
                    expected: "events, wire, close or open under '\(section.rawValue)'", found: "none")
            }
        }
        func words(_ keyword: String) -> [String] { value(keyword).split(separator: " ").map(String.init) }
        return Fixture(
            file: document.file, id: value("id"), specs: (headers["spec"] ?? []).compactMap { Fixture.Spec($0.value) },
            source: source, command: headers["command"]?.first?.value, oracle: headers["oracle"]?.first?.value,
            redactions: (headers["redact"] ?? []).map(\.value), requests: words("requests"), tags: words("tags"),
            title: value("title"), steps: steps, server: expectations[.server], client: expectations[.client])
    }

    private func value(_ keyword: String) -> String { headers[keyword]?.first?.value ?? "" }

    private func failure(_ line: WireDocument.Line?, _ expected: String, found: String) -> FixtureError {
        FixtureError(
            file: document.file, line: line?.number ?? 1, column: line?.column ?? 1, expected: expected, found: found)
    }
}
