import Foundation

/// One run of a matrix: cells in, records out.
public struct MatrixRun {
    /// The cells, those of one fixture together.
    public var cells: [CellSpec]
    /// The files of the fixtures, by id.
    public var files: [String: String]
    /// How long a cell may take; scenarios may have their own, by id.
    public var deadline: Duration
    /// Deadlines of scenarios, by id.
    public var deadlines: [String: Duration] = [:]
    /// The rules of asyncio's contract that scenarios show, by id: for the records of those that never ended.
    public var rules: [String: [Int]] = [:]
    /// The failures that are excused.
    public var knownFailures = KnownFailures.none
    /// The seed of the random cuts.
    public var seed: UInt64
    /// What goes after the cell's own options in the line that runs it again, such as `--matrix Matrix/full.yaml`.
    public var reproduceOptions: [String] = []
    /// The workers.
    public var pool: WorkerPool

    /// A run of `cells` by `pool`.
    public init(cells: [CellSpec], files: [String: String], deadline: Duration, seed: UInt64, pool: WorkerPool) {
        self.cells = cells
        self.files = files
        self.deadline = deadline
        self.seed = seed
        self.pool = pool
    }

    /// Runs all cells.
    ///
    /// - Parameters:
    ///   - finished: called with each record as it comes.
    ///   - tick: called several times a second.
    /// - Returns: the records, in the order of the cells.
    /// - Throws: `WorkerError` when the workers break in a way that is no cell's fault.
    public func perform(
        finished: (CellRecord) -> Void = { _ in }, tick: () -> Void = {}
    ) throws(WorkerError) -> [CellRecord] {
        let today = Self.today()
        var records: [CellSpec: CellRecord] = [:]
        // asyncio's scenarios mostly wait: several of them share a processor.
        var waiting = pool
        waiting.count *= Self.waitingShare
        for (pool, cells) in [
            (pool, cells.filter { $0.executor != AsyncioCell.executor }),
            (waiting, cells.filter { $0.executor == AsyncioCell.executor }),
        ] where !cells.isEmpty {
            let jobs = CellJob.jobs(cells, files: files, deadlines: deadlines, deadline: deadline)
            try run(jobs, pool, today, &records, finished, tick)
        }
        return cells.compactMap { records[$0] }
    }

    /// How many cells that mostly wait run at once for each worker.
    static let waitingShare = 3

    private func run(
        _ jobs: [CellJob], _ pool: WorkerPool, _ today: String, _ records: inout [CellSpec: CellRecord],
        _ finished: (CellRecord) -> Void, _ tick: () -> Void
    ) throws(WorkerError) {
        try pool.run(jobs) { (job, item, answer) throws(WorkerError) in
            var record = try self.record(for: job.cells[item], answer)
            record.reproduce = Reproduction.line(
                for: job.cells[item], seed: seed, cut: record.failures.first?.cut, options: reproduceOptions)
            if record.rules == nil { record.rules = rules[record.fixture] }
            knownFailures.judge(&record, today: today)
            records[job.cells[item]] = record
            finished(record)
        } tick: {
            tick()
            return true
        }
    }

    private func record(for cell: CellSpec, _ answer: WorkerAnswer) throws(WorkerError) -> CellRecord {
        switch answer {
        case .line(let line):
            guard var record = try? NDJSON.parse(file: "worker", text: line).first else {
                throw .badResult(line: line)
            }
            record.seed = seed
            return record
        case .crashed(let how, let output):
            return blank(cell, .crashed, note: output.isEmpty ? "worker \(how)" : "worker \(how)\n\(output)")
        case .hung(let after, let output):
            let text = "no answer within \(after), so the worker was killed"
            var record = blank(cell, .hung, note: output.isEmpty ? text : "\(text)\n\(output)")
            record.milliseconds = after / .milliseconds(1)
            return record
        }
    }

    private func blank(_ cell: CellSpec, _ outcome: CellOutcome, note: String) -> CellRecord {
        CellRecord(
            fixture: cell.fixture, subject: cell.subject, executor: cell.executor, mode: cell.mode,
            poller: cell.poller, cuts: cell.cuts, seed: seed, outcome: outcome, failed: 1, note: note)
    }

    /// The day it is, as `2026-12-31`.
    static func today() -> String { String(Date.now.formatted(.iso8601).prefix(10)) }
}

/// The command line that runs one cell again.
public enum Reproduction {
    /// `anyloop run ID --subject … --executor … --mode … --poller … --cuts … --seed …`, with what the cell has.
    public static func line(for cell: CellSpec, seed: UInt64, cut: String?, options: [String]) -> String {
        let pairs = [
            ("--subject", cell.subject), ("--executor", cell.executor), ("--mode", cell.mode),
            ("--poller", cell.poller), ("--cuts", cell.cuts),
        ]
        var words = ["anyloop", "run", cell.fixture]
        for (option, value) in pairs where !value.isEmpty { words += [option, value] }
        if !cell.cuts.isEmpty { words += ["--seed", String(seed)] }
        if let cut { words += ["--cut", cut] }
        return (words + options).map(quoted).joined(separator: " ")
    }

    /// The word as a shell takes it.
    private static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "-_./:=@,+%".utf8.contains(byte)
            }
        }
        return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
