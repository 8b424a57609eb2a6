/// The table of rules as Markdown: `rules.md`.
public enum RuleText {
    /// A table for each section of the contract, a row for each rule.
    public static func render(_ table: RuleTable, info: RunInfo) -> String {
        var text = "# Asyncio's rules on every loop\n\n\(escape(table.summary)).\n"
        text += "`\(info.command.replacing("`", with: "'"))`, \(escape(info.date))\n\n"
        text += "✓ n: the traces of n scenarios are asyncio's, or n checks hold. ≈ n: so, but for the liberties named. "
        text += "✗: fails.\n"
        var section = ""
        for rule in table.rules {
            if rule.section != section {
                section = rule.section
                text += "\n## \(escape(section))\n\n"
                text += "| | rule | " + table.loops.map { "\($0) | " }.joined() + "remarks |\n"
                text += "|---:|---|" + table.loops.map { _ in "---|" }.joined() + "---|\n"
            }
            text += row(rule, table)
        }
        let used = Set(table.cells.values.flatMap { $0.flatMap { $0.cell.liberties ?? [] } })
        let explained = table.liberties.filter { used.contains($0.id) }
        guard !explained.isEmpty else { return text }
        text += "\n## Liberties taken\n\n| liberty | asyncio | ours | because |\n|---|---|---|---|\n"
        for liberty in explained {
            text += "| `\(liberty.id)` | \(escape(liberty.asyncio)) | \(escape(liberty.ours)) |"
            text += " \(escape(liberty.reason)) |\n"
        }
        return text
    }

    private static func row(_ rule: AsyncioRule, _ table: RuleTable) -> String {
        let entries = table.loops.map { " \(entry(rule, table.standing(rule.number, on: $0))) |" }.joined()
        var remarks: [String] = []
        // Loops that fail the same are named together.
        var failures: [(names: [String], loops: [String])] = []
        for loop in table.loops {
            let names = table.standing(rule.number, on: loop).failed
            guard !names.isEmpty else { continue }
            if let index = failures.firstIndex(where: { $0.names == names }) {
                failures[index].loops.append(loop)
            } else {
                failures.append((names, [loop]))
            }
        }
        for (names, loops) in failures {
            let list = names.map { "`\($0)`" }.joined(separator: ", ")
            remarks.append(
                "✗ on \(loops.count == table.loops.count ? "every loop" : loops.joined(separator: ", ")): \(list)")
        }
        var liberties: [String] = []
        for liberty in table.loops.flatMap({ table.standing(rule.number, on: $0).liberties })
        where !liberties.contains(liberty) { liberties.append(liberty) }
        if !liberties.isEmpty { remarks.append("but for " + liberties.map { "`\($0)`" }.joined(separator: ", ")) }
        if let why = rule.why { remarks.append(escape(why)) }
        for (loop, text) in RuleWords.differences(rule) { remarks.append("*\(escape(loop))*: \(escape(text))") }
        return "| \(rule.number) | \(escape(rule.text)) *\(escape(rule.source))* |\(entries)"
            + " \(remarks.joined(separator: "<br>")) |\n"
    }

    private static func entry(_ rule: AsyncioRule, _ standing: RuleTable.Standing) -> String {
        RuleWords.short(rule, standing)
    }

    /// Text that Markdown leaves as it is, in a table, too.
    static func escape(_ text: String) -> String {
        text.escaped { scalar in
            switch scalar {
            case "\\", "|", "*", "_", "`", "[", "]", "#", "~": "\\\(scalar)"
            case "\n": " "
            default: nil
            }
        }
    }
}

/// What both forms of the table say in the same words.
enum RuleWords {
    /// A standing as it stands in a cell of the table.
    static func short(_ rule: AsyncioRule, _ standing: RuleTable.Standing) -> String {
        // What was run says more than where the rule was filed.
        if standing.total == 0, rule.place == .none { return "–" }
        switch standing.verdict {
        case .failed: return "✗ \(standing.failed.count) of \(standing.total)"
        case .missing: return standing.total > 0 ? "cannot run" : "not run"
        case .liberty: return "≈ \(standing.passed)"
        case .passed: return rule.place == .check && standing.total == 1 ? "✓ checked" : "✓ \(standing.passed)"
        }
    }

    /// How versions of CPython and other loops differ, CPython first.
    static func differences(_ rule: AsyncioRule) -> [(loop: String, text: String)] {
        rule.differs.sorted { $0.key < $1.key }.map { name, text in
            (name.first?.isNumber == true ? "CPython \(name)" : name, text)
        }
    }
}
