extension WireDocument {
    /// The header's keywords in their canonical order.
    static let headerKeywords = [
        "wire", "id", "spec", "source", "command", "oracle", "redact", "requests", "tags", "title",
    ]

    /// Header lines whose value is free text, so that a `#` in it is no comment.
    static let freeText: Set<String> = ["source", "command", "oracle", "redact", "title"]

    /// Reads `text` line by line.
    ///
    /// - Throws: `FixtureError` at the first line that is not as it should be.
    static func parse(_ text: [UInt8], file: String, limits: FixtureLimits) throws(FixtureError) -> WireDocument {
        guard text.count <= limits.fileBytes else {
            throw FixtureError(
                file: file, line: 1, column: 1,
                expected: "at most \(limits.fileBytes) bytes (put large bodies in blobs)",
                found: "\(text.count)")
        }
        var document = WireDocument(file: file, lines: [])
        var section: Section?
        var start = 0
        var number = 0
        while start < text.count {
            number += 1
            let end = text[start...].firstIndex(of: 0x0A) ?? text.count
            var scanner = WireScanner(file: file, line: number, bytes: text[start..<end], limits: limits)
            if let bad = text[start..<end].firstIndex(where: { $0 != 0x09 && ($0 < 0x20 || $0 == 0x7F) }) {
                let found = text[bad] == 0x0D ? "a CR" : "byte 0x" + WireEscapes.hexadecimal(text[bad])
                throw scanner.failure("lines of text that end in LF", found: found, column: bad - start + 1)
            }
            let line = try parseLine(&scanner, number: number, section: &section)
            document.lines.append(line)
            start = end + 1
        }
        return document
    }

    private static func parseLine(
        _ scanner: inout WireScanner, number: Int, section: inout Section?
    ) throws(FixtureError) -> Line {
        scanner.skipSpaces()
        guard let first = scanner.peek else { return Line(number: number, content: .blank) }
        if first == UInt8(ascii: "#") { return Line(number: number, content: .comment, comment: scanner.rest()) }
        if first == UInt8(ascii: "-") {
            let content = try parseSection(&scanner, after: &section)
            let comment = try scanner.comment("the end of the line after a section's name")
            return Line(number: number, content: content, comment: comment)
        }
        switch section {
        case nil: return try parseHeader(&scanner, number: number)
        case .stream: return try parseStep(&scanner, number: number)
        case .server, .client: return try parseExpectation(&scanner, number: number)
        }
    }

    private static func parseSection(
        _ scanner: inout WireScanner, after section: inout Section?
    ) throws(FixtureError) -> Content {
        let start = scanner
        let forms = "'--- stream', '--- expect server' or '--- expect client'"
        guard scanner.run(while: { $0 == UInt8(ascii: "-") }) == "---" else { throw start.failure(forms) }
        scanner.skipSpaces()
        var name = scanner.keyword()
        if name == "expect" {
            scanner.skipSpaces()
            name += " " + scanner.keyword()
        }
        guard let next = Section(rawValue: name) else { throw start.failure(forms) }
        let order = [nil] + Section.allCases.map(Optional.some)
        guard let current = order.firstIndex(of: section), let coming = order.firstIndex(of: next), coming > current,
            (section == nil) == (next == .stream)
        else {
            throw start.failure("the sections in the order stream, expect server, expect client, each once")
        }
        section = next
        return .section(next)
    }

    private static func parseHeader(_ scanner: inout WireScanner, number: Int) throws(FixtureError) -> Line {
        let start = scanner
        let keyword = scanner.keyword()
        guard headerKeywords.contains(keyword) else {
            throw start.failure("one of " + headerKeywords.joined(separator: ", ") + " or '--- stream'")
        }
        scanner.skipSpaces()
        let column = scanner.column
        let value = freeText.contains(keyword) ? scanner.rest() : scanner.restBeforeComment()
        guard !value.isEmpty else {
            throw scanner.failure("a value for '\(keyword)'", found: "none", column: column)
        }
        let comment = try scanner.comment("a comment")
        return Line(
            number: number, content: .header(keyword: keyword, value: value), comment: comment, column: column)
    }

    private static func parseStep(_ scanner: inout WireScanner, number: Int) throws(FixtureError) -> Line {
        if scanner.take("|") {
            let comment = try scanner.comment("the end of the line after |")
            return Line(number: number, content: .boundary, comment: comment)
        }
        guard let byte = scanner.peek, let direction = Fixture.Direction(rawValue: Character(Unicode.Scalar(byte)))
        else { throw scanner.failure("> or < and what was sent, or |") }
        _ = scanner.take(direction.rawValue)
        scanner.skipSpaces()
        let column = scanner.column
        let content: Content
        if scanner.peek == UInt8(ascii: "!") {
            content = .control(direction, try parseControl(&scanner))
        } else {
            content = .bytes(direction, try scanner.pieces())
        }
        let comment = try scanner.comment("another piece, a comment or the end of the line")
        return Line(number: number, content: content, comment: comment, column: column)
    }

    private static func parseControl(_ scanner: inout WireScanner) throws(FixtureError) -> Fixture.Control {
        let start = scanner
        _ = scanner.take("!")
        switch scanner.keyword() {
        case "fin": return .fin
        case "rst": return .rst
        case "pause": return .pause
        case "resume": return .resume
        case "wait":
            try scanner.require("(", "( after !wait")
            let amount = try scanner.number("a number of milliseconds or seconds, such as 10ms")
            let unitColumn = scanner
            guard amount <= 3_600_000 else { throw start.failure("a wait of at most an hour") }
            let duration: Duration
            switch scanner.keyword() {
            case "ms": duration = .milliseconds(amount)
            case "s": duration = .seconds(amount)
            default: throw unitColumn.failure("ms or s")
            }
            try scanner.require(")", ") after the time")
            return .wait(duration)
        default: throw start.failure("!fin, !rst, !pause, !resume or !wait(10ms)")
        }
    }
}
