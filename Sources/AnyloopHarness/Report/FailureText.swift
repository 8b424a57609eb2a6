/// A failed cell in words: the cut, the traces where they part, and how to see it again.
public enum FailureText {
    /// Several lines, the first with the cell's name.
    public static func render(_ cell: CellRecord) -> String {
        var lines = ["\(cell.fixture) \(cell.name)"]
        if let because = cell.because { lines.append("  \(because)") }
        switch cell.outcome {
        case .crashed, .hung, .unsupported:
            lines.append("  \(cell.outcome.rawValue): " + indented(cell.note ?? ""))
        case .failed, .passed:
            if cell.replays > 0, cell.failed > 0 { lines.append("  \(cell.failed) of \(cell.replays) replays failed") }
            if let note = cell.note { lines.append("  " + indented(note)) }
        }
        if let failure = cell.failures.first {
            lines.append("  \(failure.kind.rawValue) at cut \(failure.cut): \(failure.summary)")
            if !failure.details.isEmpty { lines.append("    " + indented(failure.details, by: "    ")) }
        }
        if !cell.reproduce.isEmpty { lines.append("  again: \(cell.reproduce)") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func indented(_ text: String, by margin: String = "  ") -> String {
        text.trimmingTrailingSpaces().replacing("\n", with: "\n" + margin)
    }
}
