/// What real event loops made of a scenario: `NAME.trace.json`.
public struct AsyncioRecording: Sendable {
    /// One trace, and the loops that gave it.
    public struct Entry: Sendable, Hashable {
        /// The loops with their versions: `CPython 3.11.7`, `uvloop 0.23.0 on CPython 3.13.0`.
        public let by: [String]
        /// The day of the recording.
        public let recorded: String
        /// The lines.
        public let trace: [String]
    }

    /// The scenario's name.
    public let id: String
    /// The different traces.
    public let entries: [Entry]
    /// The file it was read from.
    public let file: String

    /// Reads a recording.
    ///
    /// - Throws: `AsyncioFormatError` with the file, the place and what was expected there.
    public init(_ bytes: [UInt8], file: String) throws(AsyncioFormatError) {
        self.file = file
        let root = try AsyncioTable(file: file, place: "the file", try AsyncioValue.parse(bytes, file: file))
        try root.check(keys: ["id", "traces"])
        id = try root.text("id")
        var entries: [Entry] = []
        for (index, value) in try root.list("traces").enumerated() {
            let table = try AsyncioTable(file: file, place: "trace \(index + 1)", value)
            try table.check(keys: ["by", "recorded", "trace"])
            entries.append(
                Entry(by: try table.texts("by"), recorded: try table.text("recorded"), trace: try table.texts("trace")))
        }
        self.entries = entries
    }

    /// The trace of CPython's own loop in the given version, such as `3.11`, or of `uvloop`.
    ///
    /// - Throws: `AsyncioFormatError` if there is none; the remedy is to record it.
    public func trace(of version: String) throws(AsyncioFormatError) -> [String] {
        let name = Self.name(version)
        let entry = entries.first {
            $0.by.contains { $0 == name || $0.hasPrefix(name + ".") || $0.hasPrefix(name + " ") }
        }
        guard let entry else {
            throw AsyncioFormatError(
                file: file, place: "the traces", expected: "one by \(name); record it with ci/record-asyncio",
                found: entries.flatMap(\.by).joined(separator: ", "))
        }
        return entry.trace
    }

    /// What is followed, in words: `CPython 3.11`.
    public static func name(_ version: String) -> String { version == "uvloop" ? version : "CPython \(version)" }
}
