/// The lines of a trace while it is written.
struct AsyncioTrace {
    private enum Entry {
        case line(String)
        case data(actor: String, callback: String, bytes: [UInt8])
    }

    private var entries: [Entry] = []
    /// Bytes that came to actors in all.
    private(set) var received: [String: Int] = [:]
    /// How often a line stands in the trace.
    private var counts: [String: Int] = [:]

    /// How much there is: lines, and bytes received.
    var size: [Int] { [entries.count, received.values.reduce(0, +)] }

    /// The number of lines.
    var count: Int { entries.count }

    /// Whether the last line is the end of a turn, or there is none at all.
    var endsTurn: Bool {
        guard case .line(let text)? = entries.last else { return entries.isEmpty }
        return text == "|"
    }

    mutating func append(_ line: String) {
        entries.append(.line(line))
        counts[line, default: 0] += 1
    }

    /// Puts another line in the place of the one at `index`.
    mutating func replace(_ index: Int, _ line: String) {
        guard entries.indices.contains(index) else { return }
        entries[index] = .line(line)
        counts[line, default: 0] += 1
    }

    /// Adds received bytes, to the last line if that is of the same actor and callback.
    mutating func append(_ actor: String, _ callback: String, _ bytes: [UInt8]) {
        received[actor, default: 0] += bytes.count
        if case .data(actor, callback, var all)? = entries.last {
            entries.removeLast()
            all += bytes
            entries.append(.data(actor: actor, callback: callback, bytes: all))
        } else {
            entries.append(.data(actor: actor, callback: callback, bytes: bytes))
        }
    }

    /// How often `line` stands in the trace.
    func occurrences(of line: String) -> Int {
        if let count = counts[line] { return count }
        return entries.reduce(0) { count, entry in
            guard case .data(let actor, let callback, _) = entry, line.hasPrefix("\(actor) \(callback) ") else {
                return count
            }
            return text(entry) == line ? count + 1 : count
        }
    }

    /// The lines, without an end of a turn at the end.
    var lines: [String] {
        var lines = entries.map(text)
        while lines.last == "|" { lines.removeLast() }
        return lines
    }

    private func text(_ entry: Entry) -> String {
        switch entry {
        case .line(let text): text
        case .data(let actor, let callback, let bytes): "\(actor) \(callback) \(AsyncioText.data(bytes))"
        }
    }
}
