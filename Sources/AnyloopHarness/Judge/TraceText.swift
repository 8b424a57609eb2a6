/// Traces for people, printed on failure only.
enum TraceText {
    /// Lines shown before and after the place where two traces part.
    static let context = 4

    /// Two traces around the places where they part, one below the other.
    static func sideBySide(
        left: [String], at leftIndex: Int, leftName: String, right: [String], at rightIndex: Int, rightName: String
    ) -> String {
        excerpt(left, at: leftIndex, name: leftName) + "\n" + excerpt(right, at: rightIndex, name: rightName)
    }

    /// The first event where two traces part, in one sentence, and both around it.
    static func difference(
        _ left: [TraceEvent], _ leftName: String, _ right: [TraceEvent], _ rightName: String
    ) -> (summary: String, details: String) {
        var index = 0
        while index < left.count, index < right.count, left[index].sameAs(right[index]) { index += 1 }
        func text(_ events: [TraceEvent]) -> String {
            index < events.count ? "'\(events[index])'" : "nothing more"
        }
        let summary = "at event \(index + 1) \(leftName) has \(text(left)), \(rightName) has \(text(right))"
        let details = sideBySide(
            left: left.map(\.description), at: index, leftName: leftName, right: right.map(\.description), at: index,
            rightName: rightName)
        return (summary, details)
    }

    private static func excerpt(_ lines: [String], at index: Int, name: String) -> String {
        var text = "\(name):"
        let start = max(0, min(index, lines.count) - context)
        let end = min(lines.count, index + context + 1)
        if start > 0 { text += "\n    … \(start) before" }
        for line in start..<max(start, end) { text += "\n  \(line == index ? "→" : " ") \(line + 1) \(lines[line])" }
        if index >= lines.count { text += "\n  → (end)" }
        if end < lines.count { text += "\n    … \(lines.count - end) after" }
        return text
    }
}
