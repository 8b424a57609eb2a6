/// One fixture × one subject × one executor and loop × one cut plan.
public struct CellKey: Sendable, Hashable, Codable {
    /// The fixture's id.
    public var fixture: String
    /// The subject's name.
    public var subject: String
    /// How it was run.
    public var executor: ExecutorKind
    /// The mode; `native` where no loop is involved.
    public var mode: Mode
    /// The poller; nil where no loop is involved.
    public var poller: String?
    /// The cut plan.
    public var plan: CutPlan

    /// A cell's key.
    public init(
        fixture: String, subject: String, executor: ExecutorKind, mode: Mode, poller: String?, plan: CutPlan
    ) {
        self.fixture = fixture
        self.subject = subject
        self.executor = executor
        self.mode = mode
        self.poller = poller
        self.plan = plan
    }

    /// One word a part: `http1/get/simple http1-server tcp native/epoll two-way`.
    public var name: String {
        let loop = poller.map { "\(mode.rawValue)/\($0)" } ?? mode.rawValue
        return "\(fixture) \(subject) \(executor.rawValue) \(loop) \(plan.rawValue)"
    }
}

/// What came of a cell.
public enum Verdict: String, Sendable, Hashable, Codable {
    /// Every replay was as it must be.
    case passed
    /// At least one replay was not.
    case failed
    /// Not run; the result's `note` says why.
    case skipped
    /// The process that ran it died or hung; said by the runner.
    case crashed
}

/// One replay that was not as it must be.
public struct CellFailure: Sendable, Hashable, Codable {
    /// By which yardstick.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// None of the fixture's legal outcomes came.
        case expectation
        /// The callback grammar, or what a truncated or mutated stream must obey.
        case law
        /// It differs from the reference run of the same fixture and subject.
        case differential
        /// What the subject wrote is wrong in itself.
        case wire
        /// A wait reached its limit.
        case deadline
        /// The harness itself could not do its work.
        case harness
    }

    /// By which yardstick.
    public var kind: Kind
    /// The cut by its name, such as `two-way@17`.
    public var cut: String
    /// One sentence.
    public var summary: String
    /// The traces where they part, in lines.
    public var details: String

    /// A failure of one replay.
    public init(kind: Kind, cut: String, summary: String, details: String = "") {
        self.kind = kind
        self.cut = cut
        self.summary = summary
        self.details = details
    }
}

/// The result of one cell.
public struct CellResult: Sendable, Hashable, Codable {
    /// Which cell.
    public var key: CellKey
    /// What came of it.
    public var verdict: Verdict
    /// How many replays were made.
    public var replays: Int
    /// How many of them failed.
    public var failed: Int
    /// The first few failures (`CellRunner.Limits.failuresKept`).
    public var failures: [CellFailure]
    /// The time it took, in seconds.
    public var seconds: Double
    /// What else there is to say, such as why it was skipped.
    public var note: String?

    /// A cell's result.
    public init(
        key: CellKey, verdict: Verdict, replays: Int = 0, failed: Int = 0, failures: [CellFailure] = [],
        seconds: Double = 0, note: String? = nil
    ) {
        self.key = key
        self.verdict = verdict
        self.replays = replays
        self.failed = failed
        self.failures = failures
        self.seconds = seconds
        self.note = note
    }
}
