import Foundation

/// The differences of subjects from the fixtures as a page for people: what was expected by which section, what came.
public struct DifferencePage {
    /// A subject's difference from one fixture.
    private struct Row {
        var fixture: Fixture
        var side: Fixture.Side
        var difference: KnownDifference
        var kind: Kind

        /// The section that the fixture is about, and how binding it is.
        var spec: Fixture.Spec? { fixture.specs.first }
    }

    /// What a difference comes to.
    private enum Kind: CaseIterable {
        case cuts, taken, refused, read, answered, kept

        var title: String {
            switch self {
            case .cuts: "Depends on how the bytes are cut"
            case .taken: "Taken where it is to be refused"
            case .refused: "Refused where it is to be taken"
            case .read: "Read otherwise"
            case .answered: "Answered otherwise"
            case .kept: "The connection is kept or closed otherwise"
            }
        }

        var explanation: String {
            switch self {
            case .cuts:
                "The same bytes come to other events where they arrive in other portions. What stands here is what comes "
                    + "of them in one piece."
            case .taken: "The fixture expects an error, and none comes."
            case .refused: "The fixture expects a message, and an error comes."
            case .read: "Both take it, or both refuse it, but not with the same events before."
            case .answered: "The events are those of the fixture, what is written is not."
            case .kept: "Events and answers are those of the fixture."
            }
        }
    }

    private var rows: [Row] = []
    private var totals: [(side: Fixture.Side, name: String, count: Int)] = []

    /// A page without differences.
    public init() {}

    /// Adds the differences of one subject from the fixtures that it takes.
    public mutating func add(_ subject: Subject, _ differences: KnownDifferences, fixtures: [Fixture]) {
        let taken = fixtures.filter { subject.takes($0) }
        totals.append((subject.side, subject.name, taken.count))
        for fixture in taken {
            guard let difference = differences[fixture.id], let expectation = fixture.expectation(subject.side) else {
                continue
            }
            rows.append(
                Row(
                    fixture: fixture, side: subject.side, difference: difference,
                    kind: Self.kind(of: difference, expectation)))
        }
    }

    private static func kind(of difference: KnownDifference, _ expectation: Expectation) -> Kind {
        if difference.dependsOnCuts { return .cuts }
        switch difference.aspect {
        case .reply: return .answered
        case .closing: return .kept
        case .events:
            let refuses = expectation.alternatives.allSatisfy { alternative in
                if case .error? = alternative.events?.last { true } else { false }
            }
            let refused = difference.seen.hasPrefix("error ") || difference.seen.contains("; error ")
            return refuses == refused ? .read : refuses ? .taken : .refused
        }
    }

    /// The page in Markdown: a table of counts, then the differences by kind and section.
    public var markdown: String {
        var text =
            "| | fixtures | as expected | " + Kind.allCases.map { $0.title.lowercased() }.joined(separator: " | ")
        text += " |\n|---" + String(repeating: "|---", count: Kind.allCases.count + 2) + "|\n"
        for total in totals {
            let own = rows.filter { $0.side == total.side }
            text += "| `\(total.name)` | \(total.count) | \(total.count - own.count) |"
            for kind in Kind.allCases { text += " \(own.filter { $0.kind == kind }.count) |" }
            text += "\n"
        }
        for kind in Kind.allCases {
            let rows = rows.filter { $0.kind == kind }.sorted { Self.order($0) < Self.order($1) }
            guard !rows.isEmpty else { continue }
            text += "\n## \(kind.title)\n\n\(kind.explanation)\n\n"
            text += "| section | fixture | what it is | expected | seen |\n|---|---|---|---|---|\n"
            text += rows.map(Self.line).joined()
        }
        return text
    }

    private static func order(_ row: Row) -> String { "\(row.spec?.section ?? "~") \(row.fixture.id)" }

    private static func line(_ row: Row) -> String {
        let section = row.spec.map { [$0.section, $0.level].compactMap(\.self).joined(separator: " ") } ?? ""
        let (expected, seen) = texts(row)
        let name = row.fixture.id + (row.side == .client ? " (client)" : "")
        let cells = [section, "`\(name)`", escaped(row.fixture.title), code(expected), code(seen)]
        return "| " + cells.joined(separator: " | ") + " |\n"
    }

    /// What was expected and what was seen, without the fields unless they are the difference.
    private static func texts(_ row: Row) -> (expected: String, seen: String) {
        guard let first = row.fixture.expectation(row.side)?.alternatives.first else { return ("", "") }
        switch row.difference.aspect {
        case .reply:
            return (first.wire.map { WirePattern($0).description } ?? "", row.difference.seen)
        case .closing: return (first.closes == true ? "closed" : "open", row.difference.seen)
        case .events:
            let expected = (first.events ?? []).map(\.description)
            let seen = pieces(row.difference.seen)
            func isField(_ text: String) -> Bool { text.hasPrefix("field ") }
            let shortExpected = expected.filter { !isField($0) }
            let shortSeen = seen.filter { !isField($0) }
            if shortExpected != shortSeen {
                return (shortExpected.joined(separator: "; "), shortSeen.joined(separator: "; "))
            }
            return (
                expected.filter { isField($0) && !seen.contains($0) }.joined(separator: "; "),
                seen.filter { isField($0) && !expected.contains($0) }.joined(separator: "; ")
            )
        }
    }

    /// A list of events taken apart; a value may have the separator in it.
    private static func pieces(_ text: String) -> [String] {
        let names = ["head", "field", "body", "trailer", "end", "upgrade", "surplus", "error", "nothing"]
        var pieces: [String] = []
        for piece in text.components(separatedBy: "; ") {
            if names.contains(String(piece.prefix { $0 != " " })) || pieces.isEmpty {
                pieces.append(piece)
            } else {
                pieces[pieces.count - 1] += "; " + piece
            }
        }
        return pieces
    }

    /// Characters that a cell shows of a text.
    private static let cellLimit = 160

    private static func code(_ text: String) -> String {
        guard !text.isEmpty else { return "" }
        let shown = text.count > cellLimit ? text.prefix(cellLimit) + "…" : text[...]
        return "`" + shown.replacing("`", with: "'").replacing("|", with: "\\|") + "`"
    }

    private static func escaped(_ text: String) -> String { text.replacing("|", with: "\\|") }
}
