/// Says how far a run is: one line that is rewritten on a terminal, plain lines elsewhere.
public struct Progress {
    private let total: Int
    private let isTerminal: Bool
    private let columns: Int
    private let write: (String) -> Void
    private var done = 0
    private var failed = 0
    private var shownAt: Double = -.infinity
    private var shownShare = 0
    private var isLineOpen = false

    /// Progress over `total` cells; `columns` is the terminal's width, 0 if unknown.
    public init(total: Int, isTerminal: Bool, columns: Int = 0, write: @escaping (String) -> Void) {
        self.total = total
        self.isTerminal = isTerminal
        self.columns = columns > 0 ? columns : 80
        self.write = write
    }

    /// Counts a cell.
    public mutating func count(failed isFailure: Bool) {
        done += 1
        if isFailure { failed += 1 }
    }

    /// Shows where the run stands, `seconds` after its start, unless it has just been shown.
    public mutating func show(after seconds: Double) {
        if isTerminal {
            guard seconds - shownAt >= 0.1 || done == total else { return }
            shownAt = seconds
            isLineOpen = true
            write("\r" + String(line(after: seconds).prefix(columns - 1)) + "\u{1B}[K")
        } else {
            // A log wants a line every tenth of the way, and a sign of life every half minute.
            let share = total == 0 ? 10 : done * 10 / total
            guard share > shownShare || seconds - max(0, shownAt) >= 30 else { return }
            shownAt = seconds
            shownShare = share
            write(line(after: seconds) + "\n")
        }
    }

    /// Writes a line of its own between two states of the progress line.
    public mutating func note(_ text: String) {
        clear()
        write(text + "\n")
    }

    /// Takes the progress line away.
    public mutating func clear() {
        guard isLineOpen else { return }
        isLineOpen = false
        write("\r\u{1B}[K")
    }

    func line(after seconds: Double) -> String {
        let rate = seconds > 0 ? Double(done) / seconds : 0
        let left = rate > 0 ? Double(total - done) / rate : 0
        let percent = total == 0 ? 100 : done * 100 / total
        return "\(percent)% \(done)/\(total) cells, \(failed) failed, \(Int(rate))/s, \(Self.clock(left)) left"
    }

    /// A time as `4.2s` or `3m07s`.
    public static func clock(_ seconds: Double) -> String {
        let tenths = Int(max(0, min(seconds, 1e7)) * 10)
        if tenths < 600 { return "\(tenths / 10).\(tenths % 10)s" }
        let rest = tenths / 10 % 60
        return "\(tenths / 600)m\(rest < 10 ? "0" : "")\(rest)s"
    }
}
