/// The run as Markdown, for the step summary of a GitHub workflow.
public enum StepSummary {
    /// The most failures that are written out; the rest are counted.
    static let failureLimit = 20

    /// The grid as a table, and the first failures.
    public static func render(_ cells: [CellRecord], seconds: Double) -> String {
        render(cells, seconds: seconds, rules: nil)
    }

    /// The grid as a table, how asyncio's rules stand, and the first failures.
    public static func render(_ cells: [CellRecord], seconds: Double, rules: RuleTable?) -> String {
        let summary = RunSummary(cells)
        var text = "### Anyloop matrix\n\n\(GridText.totals(summary, seconds: seconds))\n\n"
        text += "| | " + summary.columns.joined(separator: " | ") + " |\n"
        text += "|---|" + summary.columns.map { _ in "---:|" }.joined() + "\n"
        for group in summary.groups {
            let entries = summary.columns.map { entry(summary.counts(group: group, column: $0)) }
            text += "| `\(group)` | " + entries.joined(separator: " | ") + " |\n"
        }
        if let rules, !rules.loops.isEmpty { text += "\n\(rules.summary)\n" }
        let failures = cells.filter { $0.judgement == .failed || $0.judgement == .stale }
        for cell in failures.prefix(failureLimit) {
            text += "\n```\n\(FailureText.render(cell).replacing("```", with: "` ` `"))```\n"
        }
        if failures.count > failureLimit { text += "\nand \(failures.count - failureLimit) more\n" }
        return text
    }

    private static func entry(_ counts: CellCounts?) -> String {
        guard let counts else { return "" }
        if counts.failed > 0 { return "❌ \(counts.failed)/\(counts.total)" }
        if counts.stale > 0 { return "⚠️ \(counts.stale) stale" }
        return counts.passed > 0 ? "✅ \(counts.passed)" : "–"
    }
}
