/// A point in which a loop does otherwise than asyncio's recordings, why, and what may therefore differ in a trace.
///
/// Whatever else differs is a fault. Each loop provider names its own; the comparison of traces uses them as data,
/// and one that no scenario needs is stale, which is a fault, too.
public struct AsyncioLiberty: Sendable, Hashable, CustomStringConvertible {
    /// What a liberty lets differ. `*` in a pattern is any text.
    public enum Effect: Sendable, Hashable {
        /// The ends of turns are not compared.
        case turns
        /// Lines of these patterns keep their order among themselves, and the others theirs, but not between the two.
        case floats([String])
        /// What asyncio writes as the pattern, the loop writes as the template, whose `*` stand for what the
        /// pattern's matched.
        case replaces(String, by: String)
        /// Lines that asyncio writes and the loop does not.
        case omits([String])
        /// Lines that the loop writes and asyncio does not.
        case adds([String])
        /// Lines of each actor keep their order, but lines of different actors not to each other. A line's actor is
        /// its first word, up to a dot; what has none (marks, results of connecting) counts as one.
        case actors
        /// Lines of these patterns come in any order, and anywhere.
        case anyOrder([String])
        /// Of equal lines of these patterns only the first counts.
        case once([String])

        /// Whether it may be taken in any scenario; the others only where the scenario shows one of the rules.
        var isOfOrder: Bool {
            switch self {
            case .turns, .actors: true
            case .floats, .anyOrder, .once, .replaces, .omits, .adds: false
            }
        }
    }

    /// A short name, unique in a provider's list.
    public let id: String
    /// The rules of asyncio's contract that it touches.
    public let rules: [Int]
    /// What asyncio does.
    public let asyncio: String
    /// What the loop does.
    public let ours: String
    /// Why.
    public let reason: String
    /// What may differ in a trace because of it.
    public let effects: [Effect]

    /// A liberty.
    public init(
        id: String, rules: [Int], asyncio: String, ours: String, reason: String, effects: [Effect]
    ) {
        self.id = id
        self.rules = rules
        self.asyncio = asyncio
        self.ours = ours
        self.reason = reason
        self.effects = effects
    }

    /// The id.
    public var description: String { id }

    /// Whether it may be taken in a scenario that shows `rules`.
    func mayApply(to rules: [Int]) -> Bool {
        !effects.isEmpty && (effects.allSatisfy(\.isOfOrder) || touches(rules))
    }

    /// Whether it is about one of `rules`.
    func touches(_ rules: [Int]) -> Bool { self.rules.contains(where: rules.contains) }
}

/// A pattern of trace lines: `*` is any text.
struct AsyncioLinePattern: Hashable {
    private let parts: [Substring]

    init(_ text: String) {
        parts = text.split(separator: "*", omittingEmptySubsequences: false)
    }

    /// What the `*` stand for in `line`; nil if it does not fit. Each but the last takes as little as it can.
    func match(_ line: String) -> [Substring]? {
        guard let first = parts.first, let last = parts.last, line.hasPrefix(first) else { return nil }
        guard parts.count > 1 else { return line == first ? [] : nil }
        var rest = line.dropFirst(first.count)
        var captures: [Substring] = []
        for part in parts.dropFirst().dropLast() {
            guard let range = part.isEmpty ? rest.startIndex..<rest.startIndex : rest.firstRange(of: part) else {
                return nil
            }
            captures.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        guard rest.hasSuffix(last) else { return nil }
        captures.append(rest.dropLast(last.count))
        return captures
    }

    /// The pattern's text with `captures` in the places of its `*`.
    func filled(_ captures: [Substring]) -> String {
        var text = String(parts.first ?? "")
        for (index, part) in parts.dropFirst().enumerated() {
            if index < captures.count { text += captures[index] }
            text += part
        }
        return text
    }
}
