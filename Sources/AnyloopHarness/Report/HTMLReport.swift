/// What a report says about the run as a whole.
public struct RunInfo: Sendable {
    /// The command line.
    public var command: String
    /// When it began, in words.
    public var date: String
    /// How long it took, in seconds.
    public var seconds: Double
    /// The seed of the random cuts.
    public var seed: UInt64

    /// A run's particulars.
    public init(command: String, date: String, seconds: Double, seed: UInt64) {
        self.command = command
        self.date = date
        self.seconds = seconds
        self.seed = seed
    }
}

/// The run as one HTML page that needs nothing beside itself.
///
/// The grid comes first; groups open to fixtures, fixtures to cells, failures to their traces. The cells travel as
/// compact tables (a string is written once), so that tens of thousands stay a small page.
public enum HTMLReport {
    /// The page for `cells`.
    public static func render(_ cells: [CellRecord], info: RunInfo) -> String {
        render(cells, info: info, linksRules: false)
    }

    /// The page for `cells`; `linksRules`: the page of asyncio's rules lies beside it.
    public static func render(_ cells: [CellRecord], info: RunInfo, linksRules: Bool) -> String {
        let summary = RunSummary(cells)
        return HTMLPage.template
            .replacing("@STYLE@", with: HTMLPage.style)
            .replacing("@LINK@", with: linksRules ? "<a href=\"rules.html\">asyncio's rules on every loop</a>" : "")
            .replacing("@SCRIPT@", with: HTMLPage.script)
            .replacing("@DATA@", with: data(cells, summary: summary, info: info))
    }

    /// The page's data: a JSON object that holds no `<`, so that it may stand in a script element.
    static func data(_ cells: [CellRecord], summary: RunSummary, info: RunInfo) -> String {
        var fixtures = StringTable()
        var groups = StringTable()
        var names = StringTable()
        var columns = StringTable()
        for group in summary.groups { _ = groups.index(of: group) }
        for column in summary.columns { _ = columns.index(of: column) }
        var rows: [String] = []
        var failures: [String] = []
        var fixtureGroups: [Int] = []
        for cell in cells {
            let fixture = fixtures.index(of: cell.fixture)
            if fixture == fixtureGroups.count { fixtureGroups.append(groups.index(of: cell.group)) }
            let line = [cell.subject, cell.executor, cell.mode, cell.poller].filter { !$0.isEmpty }
            let name = names.index(of: line.joined(separator: " ") + "\t" + cell.cuts)
            let code = Judgement.allCases.firstIndex(of: cell.judgement) ?? 0
            let tenths = Int((cell.milliseconds * 10).rounded())
            let column = columns.index(of: cell.column)
            rows.append("[\(fixture),\(name),\(column),\(code),\(cell.replays),\(tenths)]")
            if cell.judgement != .passed {
                failures.append("\"\(rows.count - 1)\":\(failure(cell))")
            }
        }
        let facts = [
            ("command", quote(info.command)), ("date", quote(info.date)), ("seed", quote(String(info.seed))),
            ("totals", quote(GridText.totals(summary, seconds: info.seconds))),
            ("judgements", list(Judgement.allCases.map(\.rawValue))),
            ("groups", list(groups.strings)), ("columns", list(columns.strings)),
            ("fixtures", list(fixtures.strings)),
            ("fixtureGroups", "[\(fixtureGroups.map(String.init).joined(separator: ","))]"),
            ("names", list(names.strings)), ("cells", "[\(rows.joined(separator: ","))]"),
            ("failures", "{\(failures.joined(separator: ","))}"),
        ]
        return "{" + facts.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",\n") + "}"
    }

    private static func failure(_ cell: CellRecord) -> String {
        var fields = ["\"outcome\":\(quote(cell.outcome.rawValue))", "\"failed\":\(cell.failed)"]
        if !cell.reproduce.isEmpty { fields.append("\"again\":\(quote(cell.reproduce))") }
        if let because = cell.because { fields.append("\"because\":\(quote(because))") }
        if let note = cell.note { fields.append("\"note\":\(quote(note))") }
        let failures = cell.failures.map { failure in
            "{\"kind\":\(quote(failure.kind.rawValue)),\"cut\":\(quote(failure.cut)),"
                + "\"summary\":\(quote(failure.summary)),\"details\":\(quote(failure.details))}"
        }
        if !failures.isEmpty { fields.append("\"list\":[\(failures.joined(separator: ","))]") }
        return "{" + fields.joined(separator: ",") + "}"
    }

    private static func list(_ strings: [String]) -> String {
        "[" + strings.map(quote).joined(separator: ",") + "]"
    }

    /// A JSON string in which `<` and every control is escaped.
    static func quote(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\u{0}"..."\u{1F}", "<", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// Strings by number, each once.
private struct StringTable {
    private(set) var strings: [String] = []
    private var indices: [String: Int] = [:]

    mutating func index(of string: String) -> Int {
        if let index = indices[string] { return index }
        indices[string] = strings.count
        strings.append(string)
        return strings.count - 1
    }
}
