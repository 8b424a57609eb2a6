import AnyloopHarness
import ArgumentParser
import NIOSubjects

/// `anyloop report`: makes the reports again from a run's record.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Makes grid, JUnit XML and HTML page from a run's cells.ndjson.")

    @Argument(help: "The record of a run.")
    var record: String

    @Option(help: "The folder for the reports; without it only the grid is printed.")
    var report: String?

    @Option(help: "The folder of the fixtures, for the rules of asyncio's contract.")
    var fixtures = SelectionOptions.standardFixtures

    func run() throws {
        let text = String(decoding: try FixtureFiles.read(record), as: UTF8.self)
        let cells = try NDJSON.parse(file: record, text: text)
        let seconds = cells.reduce(0) { $0 + $1.milliseconds } / 1000
        let info = RunInfo(
            command: "anyloop report \(record)", date: ReportFiles.now(), seconds: seconds, seed: cells.first?.seed ?? 0
        )
        let summary = RunSummary(cells)
        print(GridText.render(summary, color: false), terminator: "")
        print(GridText.totals(summary, seconds: seconds))
        let rules = RuleTable(
            rules: try AsyncioRule.load(fixtures: fixtures), cells: cells,
            liberties: Registry.anyloopWithNIO.loopProviders.flatMap(\.asyncioLiberties))
        if !rules.rules.isEmpty, !rules.loops.isEmpty { print(rules.summary) }
        if let report {
            try ReportFiles.write(cells, info: info, rules: rules.rules.isEmpty ? nil : rules, to: report)
        }
        throw ExitCode(summary.exitCode.rawValue)
    }
}
