import AnyloopHarness
import ArgumentParser
import Foundation
import NIOSubjects

/// `anyloop run`: runs a matrix, or a part of it.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs the matrix, or the cells of it that are selected.",
        discussion: "Exit codes: 0 ok, 1 failed, 2 wrong use, 3 stale expectations only, 4 nothing matched, 5 broken.")

    @OptionGroup var selection: SelectionOptions

    @Option(help: "Worker processes; by default one a processor.")
    var jobs: Int?

    @Option(help: "The folder for the reports: index.html, rules.html, junit.xml, cells.ndjson, summary.md.")
    var report: String?

    @Option(help: "Only this cut of each plan: its name, such as two-way@17, or its offset.")
    var cut: String?

    @Option(help: "The list of known failures.")
    var knownFailing = "Matrix/known-failing.yaml"

    @Option(help: "Failures that are printed in full.")
    var show = 10

    @Flag(help: "No progress, only failures and totals.")
    var quiet = false

    func validate() throws {
        if let jobs, !(1...256).contains(jobs) { throw ValidationError("--jobs: expected a number from 1 to 256") }
        if show < 0 { throw ValidationError("--show: expected a number from 0") }
    }

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let planned = try PlannedMatrix(selection, registry: Registry.anyloopWithNIO, environment: environment)
        guard !planned.cells.isEmpty else {
            Entry.complain("anyloop: no cell of \(selection.matrix) matches; 'anyloop list' shows what there is")
            throw ExitCode(RunExit.nothingMatched.rawValue)
        }
        // Before the run, which would be lost over a mistake in them.
        let contract = try AsyncioRule.load(fixtures: selection.fixtures)
        let start = ContinuousClock.now
        let (cells, seconds) = try perform(planned, since: start)
        let summary = RunSummary(cells)
        printFailures(cells)
        Output.write(GridText.render(summary, color: Machine.outputIsTerminal))
        Output.line(GridText.totals(summary, seconds: seconds))
        let info = RunInfo(
            command: "anyloop " + CommandLine.arguments.dropFirst().joined(separator: " "), date: ReportFiles.now(),
            seconds: seconds, seed: planned.matrix.seed)
        let rules = table(contract, cells)
        if let rules, !rules.loops.isEmpty {
            Output.line(rules.summary + (report.map { ": \($0)/rules.html" } ?? ""))
        }
        if let report {
            try ReportFiles.write(cells, info: info, rules: rules, to: report)
            Output.line("report: \(report)/index.html")
        }
        if let path = environment["GITHUB_STEP_SUMMARY"], !path.isEmpty {
            let before = (try? FixtureFiles.read(path)) ?? []
            let text = StepSummary.render(cells, seconds: seconds, rules: rules)
            try FixtureFiles.write(before + Array(text.utf8), to: path)
        }
        if cut != nil, summary.total.skipped == summary.total.total {
            throw ExitCode(RunExit.nothingMatched.rawValue)
        }
        // A rule that nothing shows any more must not go unnoticed; of a part of the matrix nobody expects them all.
        if cut == nil, planned.isWhole, let complaint = rules?.complaint {
            Entry.complain("anyloop: \(complaint)")
            throw ExitCode(RunExit.failed.rawValue)
        }
        throw ExitCode(summary.exitCode.rawValue)
    }

    /// The contract's rules against `cells`; nil if the fixtures come without the rules.
    private func table(_ rules: [AsyncioRule], _ cells: [CellRecord]) -> RuleTable? {
        guard !rules.isEmpty else { return nil }
        return RuleTable(
            rules: rules, cells: cells, liberties: Registry.anyloopWithNIO.loopProviders.flatMap(\.asyncioLiberties))
    }

    private func perform(_ planned: PlannedMatrix, since start: ContinuousClock.Instant) throws -> (
        [CellRecord], Double
    ) {
        guard let program = Machine.programPath else {
            throw CommandError("the system does not name this program's file")
        }
        var arguments = ["worker", "--matrix", selection.matrix, "--seed", String(planned.matrix.seed)]
        if let cut { arguments += ["--cut", cut] }
        let pool = WorkerPool(program: program, arguments: arguments, count: jobs ?? Machine.processorCount)
        var run = MatrixRun(
            cells: planned.cells, files: planned.files, deadline: planned.matrix.deadline, seed: planned.matrix.seed,
            pool: pool)
        for scenario in Registry.anyloopWithNIO.scenarios {
            run.deadlines[scenario.id] = scenario.deadline
            if !scenario.rules.isEmpty { run.rules[scenario.id] = scenario.rules }
        }
        run.rules.merge(planned.rules) { first, _ in first }
        if FileManager.default.fileExists(atPath: knownFailing) {
            let text = String(decoding: try FixtureFiles.read(knownFailing), as: UTF8.self)
            run.knownFailures = try KnownFailures(file: knownFailing, text: text)
        }
        if selection.matrix != SelectionOptions.standardMatrix {
            run.reproduceOptions += ["--matrix", selection.matrix]
        }
        if selection.fixtures != SelectionOptions.standardFixtures {
            run.reproduceOptions += ["--fixtures", selection.fixtures]
        }
        let (isTerminal, columns) = Machine.terminal
        var progress = Progress(total: planned.cells.count, isTerminal: isTerminal, columns: columns) { text in
            if isTerminal { FileHandle.standardError.write(Data(text.utf8)) } else { Output.write(text) }
        }
        var noted = 0
        func seconds() -> Double { start.duration(to: .now) / .seconds(1) }
        let cells = try run.perform { cell in
            let isBad = cell.judgement == .failed || cell.judgement == .stale
            progress.count(failed: isBad)
            guard isBad, !quiet, noted < 50 else { return }
            noted += 1
            progress.note("FAILED \(cell.fixture) \(cell.name)")
        } tick: {
            if !quiet { progress.show(after: seconds()) }
        }
        progress.clear()
        return (cells, seconds())
    }

    private func printFailures(_ cells: [CellRecord]) {
        let bad = cells.filter { $0.judgement == .failed || $0.judgement == .stale }
        for cell in bad.prefix(show) { Output.line("\n" + FailureText.render(cell)) }
        if bad.count > show { Output.line("… and \(bad.count - show) more failures") }
    }
}
