extension WireDocument {
    /// The file in its one canonical form.
    ///
    /// Header lines stand in their fixed order, each with the comments above it; arguments start in one column;
    /// lines keep their order, and pieces their form; runs of blank lines become one.
    func formatted() -> String {
        let sections = lines.firstIndex { if case .section = $0.content { true } else { false } } ?? lines.endIndex
        var text = ""
        var blank = true
        for line in ordered(lines[..<sections]) + lines[sections...] {
            if line.content == .blank {
                blank = true
                continue
            }
            if blank, !text.isEmpty { text += "\n" }
            blank = false
            text += Self.format(line) + "\n"
        }
        return text
    }

    /// The header's lines sorted by keyword, each taking along the comments before it; without blank lines.
    private func ordered(_ header: ArraySlice<Line>) -> [Line] {
        var groups: [(rank: Int, lines: [Line])] = []
        var waiting: [Line] = []
        for line in header where line.content != .blank {
            waiting.append(line)
            guard case .header(let keyword, _) = line.content else { continue }
            groups.append((Self.headerKeywords.firstIndex(of: keyword) ?? 0, waiting))
            waiting = []
        }
        let sorted = groups.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
        return sorted.flatMap(\.element.lines) + waiting
    }

    private static func format(_ line: Line) -> String {
        let content: String
        switch line.content {
        case .blank: return ""
        case .comment: return line.comment ?? "#"
        case .header("wire", let value): content = "wire " + value
        case .header(let keyword, let value): content = padded(keyword) + canonical(keyword, value)
        case .section(let section): content = "--- " + section.rawValue
        case .bytes(let direction, let pieces):
            content = "\(direction.rawValue) " + pieces.map(format).joined(separator: " ")
        case .boundary: content = "|"
        case .control(let direction, let control): content = "\(direction.rawValue) " + format(control)
        case .events(let events): content = padded("events") + events.map(format).joined(separator: "; ")
        case .wire(let items): content = padded("wire") + "< " + items.map(format).joined(separator: " ")
        case .alternative(let spec): content = padded("or") + format(spec)
        case .connection(let closes): content = closes ? "close" : "open"
        }
        return line.comment.map { content + "  " + $0 } ?? content
    }

    /// Values that are lists of words have one space between them; free text stays as it is.
    private static func canonical(_ keyword: String, _ value: String) -> String {
        guard !freeText.contains(keyword) else { return value }
        return value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }

    private static func padded(_ keyword: String) -> String {
        keyword + String(repeating: " ", count: max(1, 9 - keyword.utf8.count))
    }

    static func format(_ spec: Fixture.Spec) -> String {
        spec.level.map { "\(spec.section) \($0)" } ?? spec.section
    }

    static func format(_ control: Fixture.Control) -> String {
        switch control {
        case .fin: return "!fin"
        case .rst: return "!rst"
        case .pause: return "!pause"
        case .resume: return "!resume"
        case .wait(let duration):
            let milliseconds =
                duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
            return milliseconds % 1000 == 0 ? "!wait(\(milliseconds / 1000)s)" : "!wait(\(milliseconds)ms)"
        }
    }

    static func format(_ piece: WirePiece) -> String {
        switch piece {
        case .text(let bytes): "\"" + WireEscapes.escape(bytes) + "\""
        case .hexadecimal(let bytes): "x\"" + bytes.map(WireEscapes.hexadecimal).joined() + "\""
        case .repeated(let count, let inner): "repeat(\(count), " + format(inner) + ")"
        case .blob(let name, let count, let sha256):
            "blob(\"" + WireEscapes.escape(name.utf8) + "\", \(count), sha256:\(sha256))"
        }
    }

    private static func format(_ event: WireEvent) -> String {
        switch event {
        case .head(let words): "head " + words.map(WireEscapes.word).joined(separator: " ")
        case .field(let line): "field \"" + WireEscapes.escape(line) + "\""
        case .trailer(let line): "trailer \"" + WireEscapes.escape(line) + "\""
        case .body(let amount): "body " + format(amount)
        case .surplus(let amount): "surplus " + format(amount)
        case .end: "end"
        case .upgrade: "upgrade"
        case .error(let code, nil): "error " + code
        case .error(let code, let offsets?): "error \(code) @\(offsets.lowerBound)..\(offsets.upperBound)"
        }
    }

    private static func format(_ amount: WireEvent.Amount) -> String {
        switch amount {
        case .pieces(let pieces): pieces.map(format).joined(separator: " ")
        case .count(let count, nil): "\(count)"
        case .count(let count, let sha256?): "\(count) sha256:\(sha256)"
        }
    }

    private static func format(_ item: WirePatternItem) -> String {
        switch item {
        case .piece(let piece): format(piece)
        case .wildcard(.bytes(let bytes)): format(WirePiece.text(bytes))
        case .wildcard(.any): "{any}"
        case .wildcard(.line): "{line}"
        case .wildcard(.date): "{date}"
        case .wildcard(.status(let digits)): "{status \(digits)}"
        }
    }
}
