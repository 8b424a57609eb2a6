import CAnyloopSystem

/// Runs cells in this process: what a worker does with each request.
public final class CellPerformer {
    private let registry: Registry
    private let runner: CellRunner
    private let cut: String?
    private var loaded: (file: String, fixture: Fixture)?

    /// A performer; `cut` narrows every cell to the cut of that name, or to the plan's cut at that offset.
    public init(registry: Registry, seed: UInt64, limits: CutLimits, cut: String?) {
        self.registry = registry
        self.cut = cut
        runner = CellRunner(seed: seed, cutLimits: limits)
    }

    /// Runs `cell`, whose fixture lies in `file`; a scenario has none.
    ///
    /// - Throws: what reading the fixture throws, and `SettingError` for a cell that this build does not know.
    public func perform(_ cell: CellSpec, file: String?) throws -> CellRecord {
        guard let file else { return try perform(scenario: cell) }
        if cell.executor == AsyncioCell.executor { return try perform(asyncio: cell, file: file) }
        guard let subject = registry.subject(named: cell.subject),
            let executor = ExecutorKind(rawValue: cell.executor), let plan = CutPlan(rawValue: cell.cuts)
        else { throw WorkerError.badResult(line: "unknown cell \(cell)") }
        let fixture = try fixture(in: file)
        let provider = executor.needsLoop ? try provider(for: cell) : nil
        let result = runner.run(
            fixture, subject, executor, loop: provider, plan, only: cut.map { Self.name($0, plan: cell.cuts) })
        var record = CellRecord(cell)
        record.replays = result.replays
        record.failed = result.failed
        record.failures = result.failures
        record.note = result.note
        record.milliseconds = result.seconds * 1000
        switch result.verdict {
        case .passed: record.outcome = .passed
        case .skipped: record.outcome = .unsupported
        case .failed, .crashed: record.outcome = .failed
        }
        return record
    }

    private func perform(asyncio cell: CellSpec, file: String) throws -> CellRecord {
        let start = ContinuousClock.now
        var record: CellRecord
        do {
            record = try AsyncioCell.run(cell, file: file, on: try provider(for: cell))
        } catch let error as LiveScenario.Unsupported {
            record = CellRecord(cell)
            record.outcome = .unsupported
            record.note = error.description
        }
        record.milliseconds = start.duration(to: .now) / .milliseconds(1)
        return record
    }

    private func perform(scenario cell: CellSpec) throws -> CellRecord {
        guard let scenario = registry.scenarios.first(where: { $0.id == cell.fixture && $0.subject == cell.subject })
        else { throw WorkerError.badResult(line: "unknown scenario \(cell.fixture)") }
        var record = CellRecord(cell)
        let start = ContinuousClock.now
        record.replays = 1
        if !scenario.rules.isEmpty { record.rules = scenario.rules }
        do {
            let failures = try scenario.run(try provider(for: cell))
            record.failures = failures.map { CellFailure(kind: .expectation, cut: "-", summary: $0) }
        } catch let error as LiveScenario.Unsupported {
            record.outcome = .unsupported
            record.note = error.description
        } catch {
            record.failures = [CellFailure(kind: .harness, cut: "-", summary: "\(error)")]
        }
        if !record.failures.isEmpty {
            record.outcome = .failed
            record.failed = 1
        }
        record.milliseconds = start.duration(to: .now) / .milliseconds(1)
        return record
    }

    private func provider(for cell: CellSpec) throws -> LoopProvider {
        guard let mode = Mode(rawValue: cell.mode),
            let provider = registry.loopProvider(mode: mode, poller: cell.poller)
        else { throw WorkerError.badResult(line: "unknown loop \(cell.mode)/\(cell.poller)") }
        return provider
    }

    private func fixture(in file: String) throws -> Fixture {
        if let loaded, loaded.file == file { return loaded.fixture }
        let fixture = try FixtureFiles.load(file)
        loaded = (file, fixture)
        return fixture
    }

    /// The cut's name: `two-way@17` also for a bare `17`.
    static func name(_ cut: String, plan: String) -> String { Int(cut) == nil ? cut : "\(plan)@\(cut)" }
}

extension CellRecord {
    /// The record of `cell`, as if it had passed.
    init(_ cell: CellSpec) {
        self.init(
            fixture: cell.fixture, subject: cell.subject, executor: cell.executor, mode: cell.mode,
            poller: cell.poller, cuts: cell.cuts)
    }
}

/// The machine, as far as a run needs to know it.
public enum Machine {
    /// Lets SIGINT, SIGTERM and SIGHUP through to this thread, whatever the program was started with.
    public static func unblockStopSignals() { anyloop_unblock_stop_signals() }

    /// Processors this process may run on.
    public static var processorCount: Int { Int(anyloop_processor_count()) }

    /// Whether standard error is a terminal, and its width in columns (0: unknown).
    public static var terminal: (isTerminal: Bool, columns: Int) {
        (anyloop_is_terminal(2) != 0, Int(anyloop_terminal_columns(2)))
    }

    /// Whether standard output is a terminal.
    public static var outputIsTerminal: Bool { anyloop_is_terminal(1) != 0 }

    /// The file of this program; nil if the system does not say.
    public static var programPath: String? {
        var path = [CChar](repeating: 0, count: 4096)
        guard unsafe anyloop_program_path(&path, path.count) == 0 else { return nil }
        return String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
