import Testing

@testable import AnyloopHarness

struct ReportTests {
    private var cells: [CellRecord] {
        var known = Samples.cell("http1/get/known", outcome: .failed, failure: "late")
        known.judgement = .known
        known.because = "a reason (#1)"
        return [
            Samples.cell(), Samples.cell(mode: "native"),
            Samples.cell(mode: "compat", outcome: .failed, failure: "parts <here>"),
            Samples.cell("http1/chunked/x", outcome: .unsupported), known,
        ]
    }

    @Test func recordsSurviveNDJSON() throws {
        #expect(try NDJSON.parse(file: "c", text: NDJSON.render(cells)) == cells)
    }

    @Test func aLineThatIsNoCellIsNamed() {
        let error = #expect(throws: SettingsError.self) { try NDJSON.parse(file: "c.ndjson", text: "\n{}\n") }
        #expect(error?.description.hasPrefix("c.ndjson:2:1: expected the record of a cell") == true)
    }

    @Test func gridHasGroupsAndModes() {
        let text = GridText.render(RunSummary(cells), color: false)
        let lines = text.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
        #expect(lines[0] == ["parser", "native", "compat"])
        #expect(lines[1] == ["http1/chunked", "–", "1"])
        #expect(lines[2] == ["http1/get", "✓", "1", "~1", "✓", "1", "✗", "1/1"])
        #expect(!text.contains("\u{1B}"))
        #expect(GridText.render(RunSummary(cells), color: true).contains("\u{1B}[31;1m✗ 1/1"))
    }

    @Test func totals() {
        #expect(
            GridText.totals(RunSummary(cells), seconds: 187)
                == "5 cells, 15 replays, 3 fixtures, 1 failed, 1 known failing, 1 skipped in 3m07s")
    }

    @Test func junitHasACaseACell() {
        let text = JUnit.render(cells)
        #expect(text.components(of: "<testcase ") == 5)
        #expect(text.components(of: "<failure ") == 1)
        #expect(text.components(of: "<skipped ") == 2)
        #expect(text.contains("message=\"parts &lt;here&gt;\""))
        #expect(JUnit.escape("a\u{0}b\u{1B}\"&") == "a\\u{0}b\\u{1b}&quot;&amp;")
    }

    @Test func pageHoldsNoMarkupFromTheData() {
        var cell = Samples.cell(outcome: .failed, failure: "</script><b>\u{1}")
        cell.fixture = "http1/<i>/x"
        let page = HTMLReport.render([cell], info: RunInfo(command: "<c>", date: "d", seconds: 1, seed: 1))
        #expect(!page.contains("</script><b>"))
        #expect(!page.contains("<i>/x"))
        #expect(page.contains("\\u003c/script>\\u003cb>\\u0001"))
        #expect(!page.contains("@DATA@") && !page.contains("http://") && !page.contains("https://"))
    }

    @Test func failuresShowCutTracesAndTheWayBack() {
        var cell = Samples.cell(outcome: .failed, failure: "parts at event 3")
        cell.reproduce = "anyloop run x"
        #expect(
            FailureText.render(cell) == """
                http1/get/simple http1-server parser whole
                  1 of 3 replays failed
                  differential at cut two-way@17: parts at event 3
                    - a
                    + b <&>
                  again: anyloop run x

                """)
    }

    @Test func stepSummaryCountsWhatItLeavesOut() {
        let many = (0..<StepSummary.failureLimit + 1).map {
            Samples.cell("http1/get/\($0)", outcome: .failed, failure: "x")
        }
        #expect(StepSummary.render(many, seconds: 1).contains("and 1 more"))
        #expect(!StepSummary.render(Array(many.dropLast()), seconds: 1).contains("more"))
        #expect(StepSummary.render(cells, seconds: 1).contains("| `http1/get` | ✅ 1 | ✅ 1 | ❌ 1/1 |"))
    }

    @Test func progressOnATerminalRewritesOneLine() {
        var text = ""
        var progress = Progress(total: 4, isTerminal: true, columns: 200) { text += $0 }
        progress.count(failed: false)
        progress.count(failed: true)
        progress.show(after: 2)
        #expect(text == "\r50% 2/4 cells, 1 failed, 1/s, 2.0s left\u{1B}[K")
        progress.note("FAILED x")
        #expect(text.hasSuffix("\r\u{1B}[KFAILED x\n"))
    }

    @Test func progressElsewhereIsPlainLines() {
        var text = ""
        var progress = Progress(total: 100, isTerminal: false) { text += $0 }
        for cell in 1...100 {
            progress.count(failed: false)
            progress.show(after: Double(cell) / 100)
        }
        #expect(text.split(separator: "\n").count == 10)
        #expect(!text.contains("\r") && !text.contains("\u{1B}"))
    }

    @Test func reproductionIsQuotedForTheShell() {
        let cell = CellSpec(
            fixture: "http1/it's", subject: "s", executor: "tcp", mode: "native", poller: "epoll", cuts: "two-way")
        #expect(
            Reproduction.line(for: cell, seed: 3, cut: "two-way@17", options: [])
                == "anyloop run 'http1/it'\\''s' --subject s --executor tcp --mode native --poller epoll "
                + "--cuts two-way --seed 3 --cut two-way@17")
    }
}

extension String {
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
