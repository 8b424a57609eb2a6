import Testing

@testable import AnyloopHarness

/// The page rule × loop, from records made up for the purpose.
struct RuleTests {
    private let rules = [
        AsyncioRule(
            number: 1, section: "A. <Queue>", text: "Runs \"in\" order & once | call_soon", source: "base_events._run",
            differs: ["uvloop": "otherwise <b>", "3.13": "as before"], place: .scenario),
        AsyncioRule(
            number: 2, section: "A. <Queue>", text: "Copies", source: "x", place: .check, why: "no trace <can>"),
        AsyncioRule(number: 3, section: "J. TLS", text: "Handshakes", source: "x", place: .none, why: "no tickets"),
        AsyncioRule(number: 4, section: "J. TLS", text: "Contexts", source: "x", place: .none, why: "no contextvars"),
        AsyncioRule(number: 5, section: "J. TLS", text: "Never shown", source: "x", place: .scenario),
    ]
    private let info = RunInfo(command: "anyloop run '<x>'", date: "today", seconds: 1, seed: 1)

    private func cell(
        _ fixture: String, _ rules: [Int]?, _ mode: String = "native", _ outcome: CellOutcome = .passed,
        liberties: [String]? = nil
    ) -> CellRecord {
        var cell = Samples.cell(fixture, mode: mode, outcome: outcome, failure: outcome == .failed ? "parts" : nil)
        cell.rules = rules
        cell.liberties = liberties
        return cell
    }

    private func table(_ cells: [CellRecord], _ rules: [AsyncioRule]? = nil) -> RuleTable {
        let liberty = AsyncioLiberty(
            id: "made-<at>-once", rules: [1], asyncio: "later", ours: "now", reason: "saves | turns", effects: [])
        return RuleTable(rules: rules ?? self.rules, cells: cells, liberties: [liberty, liberty])
    }

    @Test func standingsNameWhatFailedAndWhatWasTaken() {
        let table = table([
            cell("asyncio/a/b", [1]), cell("asyncio/a/c", [1], liberties: ["made-<at>-once"]),
            cell("asyncio/a/b", [1], "compat"), cell("asyncio/a/c", [1], "compat", .failed),
            cell("asyncio/a/d", [1], "compat", .crashed), cell("rules/copies", [2], "compat", .unsupported),
            cell("http1/get", nil), cell("asyncio/none", []),
        ])
        #expect(table.loops == ["native/epoll", "compat/epoll"])
        let native = table.standing(1, on: "native/epoll")
        #expect(native.verdict == .liberty && native.passed == 2 && native.liberties == ["made-<at>-once"])
        let compat = table.standing(1, on: "compat/epoll")
        #expect(compat.verdict == .failed && compat.passed == 1 && compat.total == 3)
        #expect(compat.failed == ["asyncio/a/c", "asyncio/a/d"])
        #expect(table.standing(2, on: "compat/epoll").verdict == .missing)
        #expect(table.standing(2, on: "compat/epoll").skipped == ["rules/copies"])
        #expect(table.standing(2, on: "native/epoll") == RuleTable.Standing())
        #expect(
            table.summary
                == "rules: 0 of 5 shown on every loop, 1 failing, 2 not run on every loop, 2 have no place"
        )
    }

    @Test func loopsStandByMode() {
        let cells = ["compat", "nio", "native"].map { cell("a", [1], $0) }
        #expect(table(cells).loops == ["native/epoll", "compat/epoll", "nio/epoll"])
    }

    @Test func wholeRunsWantEveryRuleOnEveryLoop() throws {
        let shown = [cell("a", [1, 2, 5]), cell("a", [1, 2, 5], "compat", liberties: ["x"])]
        #expect(table(shown).complaint == nil)
        #expect(table(shown).summary == "rules: 3 of 5 shown on every loop, 2 have no place")
        // A failure beside a cell that passes is the cell's own matter.
        #expect(table(shown + [cell("b", [1], "native", .failed)]).complaint == nil)
        let half = table([cell("a", [1, 2]), cell("a", [1], "compat"), cell("b", [2], "compat", .unsupported)])
        #expect(half.unshown.map(\.rule.number) == [2, 5])
        #expect(half.unshown.map(\.loops) == [["compat/epoll"], ["native/epoll", "compat/epoll"]])
        let complaint = try #require(half.complaint)
        #expect(complaint.hasPrefix("rules: 2 of asyncio's contract are not shown; write a scenario"))
        #expect(complaint.contains("\n  rule 2 has no passing cell on compat/epoll: Copies"))
        #expect(complaint.hasSuffix("\n  rule 5 has no passing cell on any loop: Never shown"))
    }

    @Test(arguments: [(Judgement.known, true), (.failed, false)])
    func knownFailuresExcuseTheirRule(judgement: Judgement, excused: Bool) {
        var failing = cell("a", [1], "native", .failed)
        failing.judgement = judgement
        #expect((table([failing], [rules[0]]).complaint == nil) == excused)
    }

    @Test func longComplaintsAreCounted() throws {
        let many = (1...12).map {
            AsyncioRule(number: $0, section: "A", text: "t", source: "s", place: .scenario)
        }
        let complaint = try #require(table([cell("a", [99])], many).complaint)
        #expect(complaint.hasSuffix("\n  rule 10 has no passing cell on any loop: t\n  … and 2 more rules"))
    }

    @Test func thePageSaysHowEachRuleStandsAndWhy() {
        let cells = [
            cell("asyncio/a/b", [1]), cell("asyncio/a/<i>", [1], liberties: ["made-<at>-once"]),
            cell("asyncio/a/b", [1], "compat", .failed), cell("rules/copies", [2]), cell("rules/copies", [2], "compat"),
        ]
        let page = RulePage.render(table(cells), info: info)
        #expect(page.contains("<span class=\"liberty\" title=\"but for made-&lt;at&gt;-once\">≈ 2</span>"))
        #expect(page.contains("<span class=\"failed\" title=\"fails: asyncio/a/b\">✗ 1 of 1</span>"))
        #expect(page.contains("<a href=\"index.html#failure-2\">failed</a>"))
        #expect(page.contains("<span class=\"passed\">✓ checked</span>"))
        #expect(page.contains("<td colspan=\"2\"><i class=\"passed\"></i>on every loop</td>"))
        #expect(page.contains("<span class=\"other\">–</span>"))
        #expect(page.contains("<span class=\"missing\">not run</span>"))
        #expect(page.contains("<p>no contextvars</p>"))
        #expect(
            page.contains(
                "<p><b>CPython 3.13</b> differs: as before</p><p><b>uvloop</b> differs: otherwise &lt;b&gt;</p>"))
        #expect(page.contains("<p>because: saves | turns</p>"))
        #expect(page.contains("1 failing</span>"))
        #expect(page.contains("main { --loops: 2; }"))
    }

    @Test func thePageHoldsNoMarkupFromTheDataAndNeedsNothingBesideIt() {
        let page = RulePage.render(table([cell("asyncio/</script><i>@ROWS@", [1])]), info: info)
        for text in ["<Queue>", "<b>", "<can>", "</script><i>", "'<x>'", "<at>"] where text != "<b>" {
            #expect(!page.contains(text), "\(text)")
        }
        #expect(!page.contains("otherwise <b>"))
        #expect(page.contains("Runs &quot;in&quot; order &amp; once"))
        #expect(page.ranges(of: "@ROWS@").count == 1 && !page.contains("@STYLE@") && !page.contains("@FACTS@"))
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("src="))
        #expect(RulePage.escape("a\u{0}'") == "a\u{FFFD}&#39;")
    }

    @Test func markdownNamesFailuresAndLiberties() {
        let cells = [
            cell("asyncio/a/b", [1], "native", .failed), cell("asyncio/a/b", [1], "compat", .failed),
            cell("asyncio/a/c", [2], liberties: ["made-<at>-once"]),
        ]
        let text = RuleText.render(table(cells), info: info)
        #expect(
            text.contains(
                "| 1 | Runs \"in\" order &amp; once \\| call\\_soon *base\\_events.\\_run* | ✗ 1 of 1 | ✗ 1 of 1 |"
                    + " ✗ on every loop: `asyncio/a/b`<br>*CPython 3.13*: as before<br>*uvloop*: otherwise &lt;b&gt; |\n"
            ))
        #expect(text.contains("| ≈ 1 | not run | but for `made-<at>-once`<br>no trace &lt;can&gt; |\n"))
        #expect(text.contains("| 3 | Handshakes *x* | – | – | no tickets |\n"))
        #expect(text.contains("| 4 | Contexts *x* | – | – | no contextvars |\n"))
        #expect(text.contains("| | rule | native/epoll | compat/epoll | remarks |\n|---:|---|---|---|---|\n"))
        #expect(text.contains("| later | now | saves \\| turns |"))
    }

    @Test func theOtherReportsPointToThePage() {
        let table = table([cell("a", [1])])
        #expect(HTMLReport.render([], info: info, linksRules: true).contains("<a href=\"rules.html\">"))
        #expect(!HTMLReport.render([], info: info).contains("rules.html"))
        #expect(StepSummary.render([], seconds: 1, rules: table).contains("\nrules: 1 of 5 shown on every loop"))
        #expect(!StepSummary.render([], seconds: 1, rules: self.table([])).contains("rules:"))
    }

    @Test(arguments: [
        ("{}", "the file: expected a list of rules, found an object"),
        ("[{\"number\": 2}]", "rule 1: expected the number 1 under the key 'number', found the number 2.0"),
        (
            "[{\"number\": 1, \"place\": \"nowhere\"}]",
            "rule 1: expected one of scenario, check, none under the key 'place', found the text 'nowhere'"
        ),
        ("[{\"number\": 1, \"colour\": 1}]", "found 'colour'"),
    ])
    func oddRulesAreNamed(text: String, complaint: String) {
        let error = #expect(throws: AsyncioFormatError.self) {
            try AsyncioRule.parse(Array(text.utf8), file: "rules.json")
        }
        #expect(error?.description.hasPrefix("rules.json: ") == true)
        #expect(error?.description.hasSuffix(complaint) == true, "\(error?.description ?? "")")
    }
}
