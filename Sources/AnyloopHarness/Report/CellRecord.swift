/// How a cell ended.
public enum CellOutcome: String, Codable, Sendable, CaseIterable {
    /// Every replay was as it should be.
    case passed
    /// A replay was not.
    case failed
    /// The worker died on it.
    case crashed
    /// The worker gave no answer in time.
    case hung
    /// This machine or this build cannot run it; the note says what is missing.
    case unsupported

    /// Whether the cell counts against the run.
    public var isFailure: Bool {
        switch self {
        case .failed, .crashed, .hung: true
        case .passed, .unsupported: false
        }
    }
}

/// One line of the run's record: a cell and what came of it.
public struct CellRecord: Codable, Hashable, Sendable {
    /// The fixture's or the scenario's id.
    public var fixture: String
    /// The implementation that was driven.
    public var subject: String
    /// How it was driven.
    public var executor: String
    /// The mode, for executors with a loop; otherwise empty.
    public var mode: String
    /// The poller, for executors with our loop; otherwise empty.
    public var poller: String
    /// The cut plan.
    public var cuts: String
    /// The seed of the random cuts.
    public var seed: UInt64
    /// How many replays the cell made.
    public var replays: Int
    /// How it ended; setting it takes back what the run made of it.
    public var outcome: CellOutcome { didSet { judgement = Self.judgement(of: outcome) } }
    /// How many of the replays failed.
    public var failed: Int
    /// The first few failures.
    public var failures: [CellFailure]
    /// What else there is to say: what is missing, what the worker said as it died.
    public var note: String?
    /// The rules of asyncio's contract that the cell shows; nil for cells of other kinds.
    public var rules: [Int]?
    /// The liberties under which alone it passed; nil for cells of other kinds.
    public var liberties: [String]?
    /// How long it took, in milliseconds.
    public var milliseconds: Double
    /// The line that runs this cell again.
    public var reproduce: String
    /// What the run makes of it.
    public var judgement: Judgement
    /// Why a failure is known, or what is wrong with the list that says so.
    public var because: String?

    /// A record; the defaults are those of a cell that passed without a loop.
    public init(
        fixture: String, subject: String, executor: String, mode: String = "", poller: String = "",
        cuts: String, seed: UInt64 = 0, replays: Int = 0, outcome: CellOutcome = .passed, failed: Int = 0,
        failures: [CellFailure] = [], note: String? = nil, milliseconds: Double = 0, reproduce: String = ""
    ) {
        self.fixture = fixture
        self.subject = subject
        self.executor = executor
        self.mode = mode
        self.poller = poller
        self.cuts = cuts
        self.seed = seed
        self.replays = replays
        self.outcome = outcome
        self.failed = failed
        self.failures = failures
        self.note = note
        self.milliseconds = milliseconds
        self.reproduce = reproduce
        judgement = Self.judgement(of: outcome)
    }

    private static func judgement(of outcome: CellOutcome) -> Judgement {
        outcome.isFailure ? .failed : outcome == .passed ? .passed : .skipped
    }

    /// The fixture's folder, at most three deep: `http1/chunked`.
    public var group: String {
        let folders = fixture.split(separator: "/").dropLast()
        return folders.isEmpty ? fixture : folders.prefix(3).joined(separator: "/")
    }

    /// The grid's column: the mode, or the executor where no loop is in play.
    public var column: String { mode.isEmpty ? executor : mode }

    /// The cell's coordinates but for the fixture, as one short name.
    public var name: String {
        [subject, executor, mode, poller, cuts].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// All that is said about what went wrong, for searching in.
    public var failureText: String {
        (failures.flatMap { [$0.kind.rawValue, $0.summary, $0.details] } + [outcome.rawValue, note ?? ""])
            .joined(separator: "\n")
    }

    /// A coordinate by its name; nil for an unknown one.
    public func property(_ name: String) -> String? {
        switch name {
        case "fixture": fixture
        case "subject": subject
        case "executor": executor
        case "mode": mode
        case "poller": poller
        case "cuts": cuts
        default: nil
        }
    }
}

/// What the run makes of a cell, known failures considered.
public enum Judgement: String, Codable, Sendable, CaseIterable {
    /// As it should be.
    case passed
    /// Cannot run here.
    case skipped
    /// Fails, as the list of known failures says.
    case known
    /// The list of known failures is wrong about it.
    case stale
    /// Fails, and nobody expected it.
    case failed
}
