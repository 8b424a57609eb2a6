/// The grid fixture-group × column as text, for a terminal or a log.
public enum GridText {
    /// One line a group. `color` uses ANSI colours; without it the same signs stand alone.
    ///
    /// A cell of the grid reads `✓ 120`, `✗ 3/120` (so many of so many failed), with `~` known failures,
    /// `!` stale expectations, `–` where all were skipped.
    public static func render(_ summary: RunSummary, color: Bool) -> String {
        let header = [""] + summary.columns
        var rows: [[Entry]] = [header.map { Entry(text: $0, style: .plain) }]
        for group in summary.groups {
            let cells = summary.columns.map { entry(summary.counts(group: group, column: $0)) }
            rows.append([Entry(text: group, style: .plain)] + cells)
        }
        let widths = header.indices.map { column in rows.map { $0[column].text.count }.max() ?? 0 }
        let lines = rows.map { row in
            row.indices.map { index in
                let padding = String(repeating: " ", count: widths[index] - row[index].text.count)
                return row[index].painted(color) + padding
            }.joined(separator: "  ").trimmingTrailingSpaces()
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One line of totals.
    public static func totals(_ summary: RunSummary, seconds: Double) -> String {
        let total = summary.total
        var parts = ["\(total.total) cells", "\(summary.replays) replays", "\(summary.fixtureCount) fixtures"]
        parts.append("\(total.failed) failed")
        if total.known > 0 { parts.append("\(total.known) known failing") }
        if total.stale > 0 { parts.append("\(total.stale) stale expectations") }
        if total.skipped > 0 { parts.append("\(total.skipped) skipped") }
        return parts.joined(separator: ", ") + " in \(Progress.clock(seconds))"
    }

    private enum Style: String {
        case plain = ""
        case good = "\u{1B}[32m"
        case bad = "\u{1B}[31;1m"
        case odd = "\u{1B}[33m"
        case dim = "\u{1B}[2m"
    }

    private struct Entry {
        var text: String
        var style: Style

        func painted(_ color: Bool) -> String {
            color && style != .plain ? style.rawValue + text + "\u{1B}[0m" : text
        }
    }

    private static func entry(_ counts: CellCounts?) -> Entry {
        guard let counts else { return Entry(text: "", style: .dim) }
        var extra = ""
        if counts.known > 0 { extra += " ~\(counts.known)" }
        if counts.stale > 0 { extra += " !\(counts.stale)" }
        if counts.failed > 0 { return Entry(text: "✗ \(counts.failed)/\(counts.total)\(extra)", style: .bad) }
        if counts.stale > 0 || counts.known > 0 { return Entry(text: "✓ \(counts.passed)\(extra)", style: .odd) }
        if counts.passed == 0 { return Entry(text: "– \(counts.skipped)", style: .dim) }
        let skipped = counts.skipped > 0 ? " –\(counts.skipped)" : ""
        return Entry(text: "✓ \(counts.passed)\(skipped)", style: .good)
    }
}

extension String {
    func trimmingTrailingSpaces() -> String {
        guard let last = lastIndex(where: { $0 != " " }) else { return "" }
        return String(self[...last])
    }
}
