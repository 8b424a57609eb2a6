/// A failure that is known and excused, under a condition and for a time.
public struct KnownFailure: Hashable, Sendable {
    /// Which fixtures.
    public var fixtures: [Glob]
    /// The condition: a cell's property and the values it may have (`mode`, `poller`, `os`…); none: always.
    public var condition: [String: [Glob]] = [:]
    /// A part of the failure's message that must occur; nil takes any failure.
    public var message: String?
    /// Why it fails.
    public var reason: String
    /// Where it is worked on.
    public var issue: String
    /// The last day it is excused, as `2026-12-31`.
    public var expires: String
    /// Where the entry stands, as `file:line`.
    public var place: String

    /// Whether the entry speaks of this cell.
    public func covers(_ cell: CellRecord) -> Bool {
        guard fixtures.match(cell.fixture, empty: false) else { return false }
        return condition.allSatisfy { key, globs in
            globs.match(key == "os" ? Self.system : cell.property(key) ?? "", empty: true)
        }
    }

    /// The system this build runs on.
    static var system: String {
        #if os(Linux)
            "linux"
        #elseif os(macOS)
            "macos"
        #else
            "other"
        #endif
    }
}

/// The lists of `Matrix/known-failing.yaml`: expectations that cannot rot.
public struct KnownFailures: Sendable {
    /// The entries in the file's order; the first that covers a cell counts.
    public var entries: [KnownFailure]

    /// No entries.
    public static let none = KnownFailures(entries: [])

    /// The given entries.
    public init(entries: [KnownFailure]) {
        self.entries = entries
    }

    private static let conditions = ["subject", "executor", "mode", "poller", "cuts", "os"]

    /// Reads the list in `text`.
    ///
    /// - Throws: `SettingsError` with file, line and what was expected.
    public init(file: String, text: String) throws(SettingsError) {
        let root = try YAMLReader(file: file, text: text).mapping(
            "the keys version and entries", keys: ["version", "entries"])
        entries = []
        try root["version"]?.formatVersion()
        guard let list = root["entries"] else { return }
        for item in try list.list("a list of known failures") {
            entries.append(try Self.entry(item))
        }
    }

    private static func entry(_ item: YAMLReader) throws(SettingsError) -> KnownFailure {
        let keys = ["fixtures", "when", "message", "reason", "issue", "expires"]
        let values = try item.mapping("a known failure with " + keys.joined(separator: ", "), keys: keys)
        guard let fixtures = values["fixtures"], let reason = values["reason"], let issue = values["issue"],
            let expires = values["expires"]
        else { throw item.error(expected: "fixtures, reason, issue and expires", found: "fewer") }
        let globs = try fixtures.texts("globs of fixtures")
        let day = try expires.text("a day such as 2026-12-31")
        let parts = day.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2], parts.allSatisfy({ Int($0) != nil }) else {
            throw expires.error(expected: "a day such as 2026-12-31")
        }
        var condition: [String: [Glob]] = [:]
        if let when = values["when"] {
            for (key, value) in try when.mapping("a condition", keys: conditions) {
                condition[key] = try value.texts("globs of \(key)").map { Glob($0.text) }
            }
        }
        return KnownFailure(
            fixtures: globs.map { Glob($0.text) }, condition: condition,
            message: try values["message"]?.text("a part of the failure's message"),
            reason: try reason.text("the reason"), issue: try issue.text("the issue"), expires: day,
            place: "\(item.file):\(item.line)")
    }

    /// Sets what the list makes of a finished cell, on the day `today` (as `2026-12-31`).
    public func judge(_ cell: inout CellRecord, today: String) {
        guard cell.outcome != .unsupported, let entry = entries.first(where: { $0.covers(cell) }) else { return }
        if !cell.outcome.isFailure {
            cell.judgement = .stale
            cell.because = "listed in \(entry.place) as failing, but it passes"
        } else if today > entry.expires {
            cell.judgement = .stale
            cell.because = "listed in \(entry.place) until \(entry.expires) only"
        } else if let message = entry.message, !cell.failureText.contains(message) {
            cell.judgement = .stale
            cell.because = "listed in \(entry.place) as failing with '\(message)', but it fails otherwise"
        } else {
            cell.judgement = .known
            cell.because = "\(entry.reason) (\(entry.issue))"
        }
    }
}
