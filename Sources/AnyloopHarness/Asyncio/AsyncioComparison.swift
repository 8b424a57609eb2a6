/// Holds the trace of a loop to a recording, under the liberties that the loop has.
public struct AsyncioComparison: Sendable {
    /// What came of it.
    public enum Outcome: Sendable, Hashable {
        /// Line for line, or under the liberties named: as few as will do.
        case equal(liberties: [String])
        /// Different even under all of them: where, in lines.
        case different(details: String)
    }

    /// The lines of asyncio's loop.
    public let expected: [String]
    /// The lines of the loop in question.
    public let got: [String]
    /// The rules that the scenario shows.
    public let rules: [Int]

    /// Lines to be compared, of a scenario that shows `rules`.
    public init(expected: [String], got: [String], rules: [Int] = []) {
        self.expected = expected
        self.got = got
        self.rules = rules
    }

    /// Compares raw; if that differs, under those of `liberties` that may apply.
    public func outcome(under liberties: [AsyncioLiberty]) -> Outcome {
        if expected == got { return .equal(liberties: []) }
        let liberties = liberties.filter { $0.mayApply(to: rules) }
        guard isEqual(under: liberties) else {
            let (left, right) = reduced(under: liberties)
            return .different(details: Self.difference(left, right))
        }
        var needed = liberties
        // Those that are about other rules are given up first.
        for liberty in liberties.filter({ !$0.touches(rules) }) + liberties.filter({ $0.touches(rules) }) {
            let fewer = needed.filter { $0.id != liberty.id }
            if isEqual(under: fewer) { needed = fewer }
        }
        return .equal(liberties: needed.map(\.id))
    }

    private func isEqual(under liberties: [AsyncioLiberty]) -> Bool {
        let (left, right) = reduced(under: liberties)
        return left == right
    }

    /// Both traces as far as the liberties leave them to be compared.
    func reduced(under liberties: [AsyncioLiberty]) -> (expected: [String], got: [String]) {
        var (left, right) = (expected, got)
        var floating: [[AsyncioLinePattern]] = []
        var isByActor = false
        for effect in liberties.flatMap(\.effects) {
            switch effect {
            case .turns:
                left.removeAll { $0 == "|" }
                right.removeAll { $0 == "|" }
            case .floats(let patterns): floating.append(patterns.map(AsyncioLinePattern.init))
            case .replaces(let pattern, let template):
                let (from, to) = (AsyncioLinePattern(pattern), AsyncioLinePattern(template))
                left = left.map { line in from.match(line).map(to.filled) ?? line }
            case .omits(let patterns): Self.drop(patterns, from: &left)
            case .adds(let patterns): Self.drop(patterns, from: &right)
            case .anyOrder(let patterns):
                left = Self.sorted(left, patterns)
                right = Self.sorted(right, patterns)
            case .once(let patterns):
                left = Self.once(left, patterns)
                right = Self.once(right, patterns)
            case .actors: isByActor = true
            }
        }
        for patterns in floating {
            left = Self.parted(left, patterns)
            right = Self.parted(right, patterns)
        }
        return isByActor ? (Self.byActor(left), Self.byActor(right)) : (left, right)
    }

    /// The lines of each actor together, in their order.
    private static func byActor(_ lines: [String]) -> [String] {
        var actors: [String: [String]] = [:]
        for line in lines { actors[actor(of: line), default: []].append(line) }
        return actors.keys.sorted().flatMap { actors[$0] ?? [] }
    }

    /// `S0` of `S0 data_received "x"` and `S0.write`; empty for a line of no actor.
    private static func actor(of line: String) -> String {
        let word = line.prefix { $0 != " " && $0 != "." }
        guard let first = word.unicodeScalars.first, ("A"..."Z").contains(first) else { return "" }
        return line.dropFirst(word.count).hasPrefix(" = ") ? "" : String(word)
    }

    /// The lines that fit behind the others, sorted.
    private static func sorted(_ lines: [String], _ patterns: [String]) -> [String] {
        let patterns = patterns.map(AsyncioLinePattern.init)
        func fits(_ line: String) -> Bool { patterns.contains { $0.match(line) != nil } }
        return lines.filter { !fits($0) } + lines.filter(fits).sorted()
    }

    /// The lines without those that fit and stood before.
    private static func once(_ lines: [String], _ patterns: [String]) -> [String] {
        let patterns = patterns.map(AsyncioLinePattern.init)
        var seen: Set<String> = []
        return lines.filter { line in
            !patterns.contains { $0.match(line) != nil } || seen.insert(line).inserted
        }
    }

    private static func drop(_ patterns: [String], from lines: inout [String]) {
        let patterns = patterns.map(AsyncioLinePattern.init)
        lines.removeAll { line in patterns.contains { $0.match(line) != nil } }
    }

    /// The lines that fit behind those that do not, each in their order.
    private static func parted(_ lines: [String], _ patterns: [AsyncioLinePattern]) -> [String] {
        let fits = lines.map { line in patterns.contains { $0.match(line) != nil } }
        return zip(lines, fits).filter { !$1 }.map(\.0) + zip(lines, fits).filter(\.1).map(\.0)
    }

    /// Where two traces part: a few equal lines, then what each has.
    static func difference(_ expected: [String], _ got: [String]) -> String {
        let common = zip(expected, got).prefix { $0 == $1 }.count
        let context = 3
        let length = 12
        var lines = expected[max(0, common - context)..<common].map { "    \($0)" }
        if common > context { lines.insert("    … \(common - context) equal lines", at: 0) }
        func side(_ sign: String, _ all: [String]) -> [String] {
            let rest = all[common...]
            var lines = rest.prefix(length).map { "  \(sign) \($0)" }
            if rest.isEmpty { lines = ["  \(sign) (the end)"] }
            if rest.count > length { lines.append("  \(sign) … \(rest.count - length) more") }
            return lines
        }
        lines += side("asyncio:", expected) + side("ours:   ", got)
        return lines.joined(separator: "\n")
    }
}
