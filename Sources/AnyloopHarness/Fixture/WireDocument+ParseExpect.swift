extension WireDocument {
    private static let eventForms =
        "head, field, body, trailer, end, upgrade, surplus or error"

    /// A line under `expect`.
    static func parseExpectation(_ scanner: inout WireScanner, number: Int) throws(FixtureError) -> Line {
        let start = scanner
        let keyword = scanner.keyword()
        scanner.skipSpaces()
        let column = scanner.column
        let content: Content
        switch keyword {
        case "events": content = .events(try parseEvents(&scanner))
        case "wire": content = .wire(try parsePattern(&scanner))
        case "or": content = .alternative(try parseSpec(&scanner))
        case "close": content = .connection(closes: true)
        case "open": content = .connection(closes: false)
        default: throw start.failure("events, wire, or, close or open")
        }
        let comment = try scanner.comment("the end of the line")
        return Line(number: number, content: content, comment: comment, column: column)
    }

    /// `RFC9112#7.1 MUST NOT`, to the end of the line or a comment.
    static func parseSpec(_ scanner: inout WireScanner) throws(FixtureError) -> Fixture.Spec {
        let start = scanner
        guard let spec = Fixture.Spec(scanner.restBeforeComment()) else {
            throw start.failure("a section such as RFC9112#7.1, then MUST, MUST NOT, SHOULD, SHOULD NOT or MAY")
        }
        return spec
    }

    private static func parseEvents(_ scanner: inout WireScanner) throws(FixtureError) -> [WireEvent] {
        var events: [WireEvent] = []
        repeat {
            scanner.skipSpaces()
            if !events.isEmpty, scanner.peek == nil || scanner.peek == UInt8(ascii: "#") { break }
            events.append(try parseEvent(&scanner))
            scanner.skipSpaces()
        } while scanner.take(";")
        return events
    }

    private static func parseEvent(_ scanner: inout WireScanner) throws(FixtureError) -> WireEvent {
        let start = scanner
        switch scanner.keyword() {
        case "head": return .head(try parseWords(&scanner))
        case "field":
            scanner.skipSpaces()
            return .field(try parseFieldLine(&scanner))
        case "trailer":
            scanner.skipSpaces()
            return .trailer(try parseFieldLine(&scanner))
        case "body": return .body(try parseAmount(&scanner))
        case "surplus": return .surplus(try parseAmount(&scanner))
        case "end": return .end
        case "upgrade": return .upgrade
        case "error":
            scanner.skipSpaces()
            let codeStart = scanner
            let code = scanner.keyword()
            guard !code.isEmpty else { throw codeStart.failure("an error's code, such as bad-chunk-size") }
            scanner.skipSpaces()
            guard scanner.take("@") else { return .error(code: code, offsets: nil) }
            let lower = try scanner.number("the first offset")
            guard scanner.take("."), scanner.take(".") else { throw scanner.failure("two dots between the offsets") }
            let upperStart = scanner
            let upper = try scanner.number("the offset after the last one")
            guard upper >= lower else { throw upperStart.failure("an offset not below \(lower)") }
            return .error(code: code, offsets: lower..<upper)
        default: throw start.failure(eventForms)
        }
    }

    private static func parseFieldLine(_ scanner: inout WireScanner) throws(FixtureError) -> [UInt8] {
        let start = scanner
        let line = try scanner.quoted()
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon + 1 < line.count, line[colon + 1] == 0x20
        else { throw start.failure("\"Name: value\" with a colon and a space") }
        return line
    }

    /// Words up to a `;` that ends one, a comment or the end; quoted where they are no plain words.
    private static func parseWords(_ scanner: inout WireScanner) throws(FixtureError) -> [[UInt8]] {
        var words: [[UInt8]] = []
        while true {
            scanner.skipSpaces()
            guard let byte = scanner.peek, byte != UInt8(ascii: "#"), byte != UInt8(ascii: ";") else { break }
            if byte == UInt8(ascii: "\"") {
                words.append(try scanner.quoted())
                continue
            }
            var word: [UInt8] = []
            while let byte = scanner.peek, byte > 0x20, byte < 0x7F, !scanner.atItemEnd {
                word.append(byte)
                _ = scanner.take(Character(Unicode.Scalar(byte)))
            }
            guard !word.isEmpty else { throw scanner.failure("a word, in quotes if it is not printable ASCII") }
            words.append(word)
        }
        guard !words.isEmpty, words.count <= 3 else {
            throw scanner.failure("head METHOD TARGET [VERSION] or head STATUS [VERSION]")
        }
        return words
    }

    private static func parseAmount(_ scanner: inout WireScanner) throws(FixtureError) -> WireEvent.Amount {
        scanner.skipSpaces()
        guard let byte = scanner.peek, byte >= 0x30, byte <= 0x39 else { return .pieces(try scanner.pieces()) }
        let count = try scanner.number("a number of bytes")
        scanner.skipSpaces()
        guard scanner.peek == UInt8(ascii: "s") else { return .count(count, sha256: nil) }
        return .count(count, sha256: try scanner.sha256())
    }

    private static func parsePattern(_ scanner: inout WireScanner) throws(FixtureError) -> [WirePatternItem] {
        try scanner.require("<", "< and what the subject must write")
        var items: [WirePatternItem] = []
        scanner.skipSpaces()
        while let byte = scanner.peek, byte != UInt8(ascii: "#") {
            items.append(byte == UInt8(ascii: "{") ? try parseWildcard(&scanner) : .piece(try scanner.piece()))
            scanner.skipSpaces()
        }
        guard !items.isEmpty else { throw scanner.failure("what the subject must write") }
        return items
    }

    private static func parseWildcard(_ scanner: inout WireScanner) throws(FixtureError) -> WirePatternItem {
        let start = scanner
        let forms = "{any}, {line}, {date} or {status 4xx}"
        _ = scanner.take("{")
        let item: WirePatternPiece
        switch scanner.keyword() {
        case "any": item = .any
        case "line": item = .line
        case "date": item = .date
        case "status":
            scanner.skipSpaces()
            let digits = scanner.keyword()
            let valid = digits.utf8.count == 3 && digits.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x78 }
            guard valid else { throw start.failure(forms) }
            item = .status(digits)
        default: throw start.failure(forms)
        }
        guard scanner.take("}") else { throw scanner.failure("} after a wildcard") }
        return .wildcard(item)
    }
}

extension WireScanner {
    /// Whether a `;` comes next that ends an item: one before a space or the end of the line.
    fileprivate var atItemEnd: Bool {
        guard peek == UInt8(ascii: ";") else { return false }
        return position + 1 >= bytes.endIndex || bytes[position + 1] <= 0x20
    }
}

extension Fixture.Spec {
    /// `RFC9112#7.1`, alone or with a level behind it; nil for anything else.
    init?(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        guard let section = words.first, section.contains("#"), !section.hasPrefix("#"), !section.hasSuffix("#")
        else { return nil }
        let level = words.count > 1 ? words[1].split(separator: " ").joined(separator: " ") : nil
        guard level.map({ ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"].contains($0) }) ?? true else {
            return nil
        }
        self.init(section: section, level: level)
    }
}
