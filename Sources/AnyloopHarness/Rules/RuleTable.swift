/// The contract's rules against the loops of a run: what the cells say about each.
public struct RuleTable: Sendable {
    /// What a run says about one rule on one loop.
    public struct Standing: Sendable, Hashable {
        /// The cells that held, those under liberties among them.
        public var passed = 0
        /// All cells.
        public var total = 0
        /// The scenarios or checks that failed.
        public var failed: [String] = []
        /// Failures among them that are listed as known.
        public var known = 0
        /// Those that could not be run here.
        public var skipped: [String] = []
        /// The liberties without which some would have failed, in the order of the run.
        public var liberties: [String] = []

        /// In one word.
        public var verdict: Verdict {
            if !failed.isEmpty { return .failed }
            if passed == 0 { return .missing }
            return liberties.isEmpty ? .passed : .liberty
        }
    }

    /// A standing in one word.
    public enum Verdict: String, Sendable, CaseIterable {
        /// As asyncio does.
        case passed
        /// As asyncio does but for liberties.
        case liberty
        /// Otherwise.
        case failed
        /// Nothing was run.
        case missing
    }

    /// The rules.
    public let rules: [AsyncioRule]
    /// The loops of the run by name (`native/epoll`), by mode, and then in the order of their first cells.
    public let loops: [String]
    /// The liberties by which the loops may differ, for the page to explain.
    public let liberties: [AsyncioLiberty]
    /// The cells that show rules, by rule; each once with its place in the run.
    let cells: [Int: [(index: Int, cell: CellRecord)]]
    private let standings: [Int: [String: Standing]]

    /// Sets `rules` against `cells`.
    public init(rules: [AsyncioRule], cells: [CellRecord], liberties: [AsyncioLiberty] = []) {
        var loops: [String] = []
        var byRule: [Int: [(index: Int, cell: CellRecord)]] = [:]
        var standings: [Int: [String: Standing]] = [:]
        for (index, cell) in cells.enumerated() where !(cell.rules ?? []).isEmpty {
            if !loops.contains(cell.loop) { loops.append(cell.loop) }
            for number in Set(cell.rules ?? []) {
                byRule[number, default: []].append((index, cell))
                standings[number, default: [:]][cell.loop, default: Standing()].add(cell)
            }
        }
        var seen: Set<String> = []
        func place(_ loop: String) -> Int {
            Mode.allCases.firstIndex { loop == $0.rawValue || loop.hasPrefix($0.rawValue + "/") } ?? Mode.allCases.count
        }
        self.rules = rules
        self.loops = loops.enumerated().sorted { (place($0.element), $0.offset) < (place($1.element), $1.offset) }
            .map(\.element)
        self.liberties = liberties.filter { seen.insert($0.id).inserted }
        self.cells = byRule
        self.standings = standings
    }

    /// What the run says about a rule on a loop.
    public func standing(_ rule: Int, on loop: String) -> Standing { standings[rule]?[loop] ?? Standing() }

    /// Whether the rule can be shown, and some cell of each loop shows it and none fails.
    public func holds(_ rule: AsyncioRule) -> Bool {
        !loops.isEmpty && rule.isShowable
            && loops.allSatisfy { loop in
                let verdict = standing(rule.number, on: loop).verdict
                return verdict == .passed || verdict == .liberty
            }
    }

    /// The loops on which no cell of a rule passed that scenarios or checks can show; by rule, without those that hold.
    ///
    /// Where all that fail are known to fail, that is excused here as it is for the cells.
    public var unshown: [(rule: AsyncioRule, loops: [String])] {
        rules.filter(\.isShowable).compactMap { rule in
            let missing = loops.filter { loop in
                let standing = standing(rule.number, on: loop)
                return standing.passed == 0 && (standing.known == 0 || standing.known < standing.failed.count)
            }
            return missing.isEmpty ? nil : (rule, missing)
        }
    }

    /// One line for a terminal: how many rules hold on every loop, and what becomes of the others.
    public var summary: String {
        let showable = rules.filter(\.isShowable)
        let failing = showable.count { rule in loops.contains { standing(rule.number, on: $0).verdict == .failed } }
        let shown = showable.count(where: holds)
        func count(_ place: AsyncioRule.Place) -> Int { rules.count { $0.place == place } }
        var parts = ["\(shown) of \(rules.count) shown on every loop"]
        if failing > 0 { parts.append("\(failing) failing") }
        let rest = showable.count - shown - failing
        if rest > 0 { parts.append("\(rest) not run on every loop") }
        if count(.none) > 0 { parts.append("\(count(.none)) have no place") }
        return "rules: " + parts.joined(separator: ", ")
    }

    /// What is wrong with a whole run that leaves rules unshown, in sentences; nil if nothing is.
    public var complaint: String? {
        let unshown = unshown
        guard !unshown.isEmpty else { return nil }
        let limit = 10
        var lines = unshown.prefix(limit).map { rule, missing in
            let place = missing.count == loops.count ? "any loop" : missing.joined(separator: ", ")
            return "  rule \(rule.number) has no passing cell on \(place): \(rule.text)"
        }
        if unshown.count > limit { lines.append("  … and \(unshown.count - limit) more rules") }
        return "rules: \(unshown.count) of asyncio's contract \(unshown.count == 1 ? "is" : "are") not shown; "
            + "write a scenario (Fixtures/asyncio) or a check (RuleChecks)\n" + lines.joined(separator: "\n")
    }
}

extension AsyncioRule {
    /// Whether scenarios or checks must show it.
    var isShowable: Bool { place == .scenario || place == .check }
}

extension RuleTable.Standing {
    fileprivate mutating func add(_ cell: CellRecord) {
        total += 1
        switch cell.outcome {
        case .passed:
            passed += 1
            for liberty in cell.liberties ?? [] where !liberties.contains(liberty) { liberties.append(liberty) }
        case .failed, .crashed, .hung:
            failed.append(cell.fixture)
            if cell.judgement == .known { known += 1 }
        case .unsupported: skipped.append(cell.fixture)
        }
    }
}

extension CellRecord {
    /// The loop's name: `native/epoll`.
    var loop: String { poller.isEmpty ? mode : "\(mode)/\(poller)" }
}
