import Foundation

/// A run's reports as files in one folder.
public enum ReportFiles {
    /// Writes `cells.ndjson`, `junit.xml`, `index.html` and `summary.md` to `folder`, making it if need be.
    ///
    /// - Throws: `FixtureFiles.FileError` for a folder or file that cannot be written.
    public static func write(_ cells: [CellRecord], info: RunInfo, to folder: String) throws {
        try write(cells, info: info, rules: nil, to: folder)
    }

    /// Writes `cells.ndjson`, `junit.xml`, `index.html` and `summary.md` to `folder`, making it if need be; with
    /// `rules` also `rules.html` and `rules.md`, asyncio's rules against the loops of the run.
    ///
    /// - Throws: `FixtureFiles.FileError` for a folder or file that cannot be written.
    public static func write(
        _ cells: [CellRecord], info: RunInfo, rules: RuleTable?, to folder: String
    ) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FixtureFiles.FileError(path: folder, action: "make the folder")
        }
        var files = [
            ("cells.ndjson", try NDJSON.render(cells)), ("junit.xml", JUnit.render(cells)),
            ("index.html", HTMLReport.render(cells, info: info, linksRules: rules != nil)),
            ("summary.md", StepSummary.render(cells, seconds: info.seconds, rules: rules)),
        ]
        if let rules {
            files.append(("rules.html", RulePage.render(rules, info: info)))
            files.append(("rules.md", RuleText.render(rules, info: info)))
        }
        for (name, text) in files { try FixtureFiles.write(Array(text.utf8), to: "\(folder)/\(name)") }
    }

    /// The time it is, for `RunInfo.date`.
    public static func now() -> String {
        Date.now.formatted(.iso8601).replacing("T", with: " ").replacing("Z", with: " UTC")
    }
}
