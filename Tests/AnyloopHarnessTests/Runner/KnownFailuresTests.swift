import Testing

@testable import AnyloopHarness

struct KnownFailuresTests {
    private let list = """
        version: 1
        entries:
          - fixtures: http1/get/*
            when: {mode: compat, os: [linux, macos]}
            message: parts from
            reason: the queue is drained late
            issue: "#12"
            expires: 2026-12-31

        """

    private func judged(_ cell: CellRecord, today: String = "2026-11-23") throws -> CellRecord {
        var cell = cell
        try KnownFailures(file: "k.yaml", text: list).judge(&cell, today: today)
        return cell
    }

    @Test func aListedFailureIsKnown() throws {
        let cell = try judged(Samples.cell(mode: "compat", outcome: .failed, failure: "parts from native"))
        #expect(cell.judgement == .known)
        #expect(cell.because == "the queue is drained late (#12)")
    }

    @Test func theConditionCounts() throws {
        let cell = try judged(Samples.cell(mode: "native", outcome: .failed, failure: "parts from native"))
        #expect(cell.judgement == .failed)
    }

    @Test func aListedCellThatPassesIsStale() throws {
        let cell = try judged(Samples.cell(mode: "compat"))
        #expect(cell.judgement == .stale)
        #expect(cell.because == "listed in k.yaml:3 as failing, but it passes")
    }

    @Test func anotherFailureIsStale() throws {
        let cell = try judged(Samples.cell(mode: "compat", outcome: .crashed))
        #expect(cell.judgement == .stale)
        #expect(cell.because?.contains("fails otherwise") == true)
    }

    @Test(arguments: [("2026-12-31", Judgement.known), ("2027-01-01", .stale)])
    func entriesExpire(today: String, expected: Judgement) throws {
        let cell = Samples.cell(mode: "compat", outcome: .failed, failure: "parts from native")
        #expect(try judged(cell, today: today).judgement == expected)
    }

    @Test func skippedCellsAreNoPasses() throws {
        let cell = try judged(Samples.cell(mode: "compat", outcome: .unsupported))
        #expect(cell.judgement == .skipped)
    }

    @Test(arguments: [
        ("entries:\n  - fixtures: a\n", "k.yaml:2:5: expected fixtures, reason, issue and expires"),
        ("entries:\n  - {fixtures: a, reason: b, issue: c, expires: soon}\n", "expected a day such as 2026-12-31"),
        (
            "entries:\n  - {fixtures: a, reason: b, issue: c, expires: 2026-12-31, when: {moon: full}}\n",
            "one of the keys"
        ),
    ])
    func errorsSayWhereAndWhat(text: String, expected: String) {
        let error = #expect(throws: SettingsError.self) { try KnownFailures(file: "k.yaml", text: text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "no error")")
    }

    @Test func exitCodes() {
        var stale = Samples.cell()
        stale.judgement = .stale
        let failed = Samples.cell(outcome: .failed)
        #expect(RunSummary([]).exitCode == .nothingMatched)
        #expect(RunSummary([Samples.cell()]).exitCode == .passed)
        #expect(RunSummary([Samples.cell(), stale]).exitCode == .staleExpectation)
        #expect(RunSummary([stale, failed]).exitCode == .failed)
    }
}
