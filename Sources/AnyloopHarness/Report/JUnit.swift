/// The run as JUnit XML: a suite a fixture-group, a test case a cell.
public enum JUnit {
    /// The document for `cells`.
    public static func render(_ cells: [CellRecord]) -> String {
        var groups: [String: [CellRecord]] = [:]
        for cell in cells { groups[cell.group, default: []].append(cell) }
        let failures = cells.count { $0.judgement == .failed || $0.judgement == .stale }
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        text += "<testsuites name=\"anyloop\" tests=\"\(cells.count)\" failures=\"\(failures)\""
        text += " time=\"\(seconds(of: cells))\">\n"
        for group in groups.keys.sorted() {
            guard let cells = groups[group] else { continue }
            let failures = cells.count { $0.judgement == .failed || $0.judgement == .stale }
            let skipped = cells.count { $0.judgement == .skipped || $0.judgement == .known }
            text += "<testsuite name=\"\(escape(group))\" tests=\"\(cells.count)\" failures=\"\(failures)\""
            text += " skipped=\"\(skipped)\" time=\"\(seconds(of: cells))\">\n"
            for cell in cells { text += testCase(cell) }
            text += "</testsuite>\n"
        }
        return text + "</testsuites>\n"
    }

    private static func testCase(_ cell: CellRecord) -> String {
        let head =
            "<testcase classname=\"\(escape(cell.fixture.replacing("/", with: ".")))\""
            + " name=\"\(escape(cell.name))\" time=\"\(seconds(of: [cell]))\""
        switch cell.judgement {
        case .passed:
            return head + "/>\n"
        case .skipped:
            return head + "><skipped message=\"\(escape(cell.note ?? "not run"))\"/></testcase>\n"
        case .known:
            return head + "><skipped message=\"\(escape("known failure: " + (cell.because ?? "")))\"/></testcase>\n"
        case .stale, .failed:
            let message = cell.because ?? cell.failures.first?.summary ?? cell.note ?? cell.outcome.rawValue
            return head + "><failure type=\"\(cell.failures.first?.kind.rawValue ?? cell.outcome.rawValue)\""
                + " message=\"\(escape(message))\">\(escape(FailureText.render(cell)))</failure></testcase>\n"
        }
    }

    private static func seconds(of cells: [CellRecord]) -> String {
        let milliseconds = Int(cells.reduce(0) { $0 + $1.milliseconds }.rounded())
        let fraction = String(1000 + milliseconds % 1000).dropFirst()
        return "\(milliseconds / 1000).\(fraction)"
    }

    /// Text for XML 1.0: markup escaped, characters that it cannot hold as `\u{…}`.
    static func escape(_ text: String) -> String {
        text.escaped { scalar in
            switch scalar {
            case "\"": "&quot;"
            case "\n": "&#10;"
            case "\t": "&#9;"
            case "\u{0}"..."\u{1F}", "\u{FFFE}"..."\u{FFFF}": "\\u{" + String(scalar.value, radix: 16) + "}"
            default: nil
            }
        }
    }
}
