/// Counts of cells by what the run made of them.
public struct CellCounts: Hashable, Sendable {
    /// As they should be.
    public var passed = 0
    /// Could not run here.
    public var skipped = 0
    /// Failures that are listed.
    public var known = 0
    /// Listed, but wrongly.
    public var stale = 0
    /// Failures that nobody expected.
    public var failed = 0

    /// No cells.
    public init() {}

    /// All cells.
    public var total: Int { passed + skipped + known + stale + failed }

    /// Counts one more.
    public mutating func add(_ judgement: Judgement) {
        switch judgement {
        case .passed: passed += 1
        case .skipped: skipped += 1
        case .known: known += 1
        case .stale: stale += 1
        case .failed: failed += 1
        }
    }

    /// Counts all of `other` too.
    public mutating func add(_ other: CellCounts) {
        passed += other.passed
        skipped += other.skipped
        known += other.known
        stale += other.stale
        failed += other.failed
    }
}

/// The cells of a run, counted by fixture-group and column.
public struct RunSummary: Sendable {
    /// The grid's columns in their order: executors without a loop, then modes.
    public let columns: [String]
    /// The fixture-groups, sorted.
    public let groups: [String]
    /// All cells.
    public let total: CellCounts
    /// All replays.
    public let replays: Int
    /// Fixtures and scenarios.
    public let fixtureCount: Int
    private let counts: [String: [String: CellCounts]]

    private static let columnOrder = ["parser", "memory", "native", "compat", "nio", "asyncio"]

    /// Counts `cells`.
    public init(_ cells: [CellRecord]) {
        var counts: [String: [String: CellCounts]] = [:]
        var total = CellCounts()
        var fixtures: Set<String> = []
        var replays = 0
        for cell in cells {
            counts[cell.group, default: [:]][cell.column, default: CellCounts()].add(cell.judgement)
            total.add(cell.judgement)
            fixtures.insert(cell.fixture)
            replays += cell.replays
        }
        let found = Set(counts.values.flatMap(\.keys))
        columns = Self.columnOrder.filter(found.contains) + found.subtracting(Self.columnOrder).sorted()
        groups = counts.keys.sorted()
        self.counts = counts
        self.total = total
        self.replays = replays
        fixtureCount = fixtures.count
    }

    /// The cells of one group and column; nil where there are none.
    public func counts(group: String, column: String) -> CellCounts? { counts[group]?[column] }

    /// What the program's exit says of the run (design §7).
    public var exitCode: RunExit {
        if total.total == 0 { return .nothingMatched }
        if total.failed > 0 { return .failed }
        return total.stale > 0 ? .staleExpectation : .passed
    }
}

/// The exit codes of `anyloop run`.
public enum RunExit: Int32, Sendable {
    /// Nothing unexpected.
    case passed = 0
    /// An unexpected failure.
    case failed = 1
    /// Wrong use: an unknown option, a bad value, a broken settings file or fixture.
    case usage = 2
    /// Nothing but expectations that no longer hold.
    case staleExpectation = 3
    /// No cell matched.
    case nothingMatched = 4
    /// The harness or an adapter broke.
    case harnessBroke = 5
}
