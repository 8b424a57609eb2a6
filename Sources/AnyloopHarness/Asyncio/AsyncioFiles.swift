import Foundation

/// Scenarios and recordings as files below `Fixtures/asyncio`.
public enum AsyncioFiles {
    /// The folder of the scenarios in the folder of the fixtures.
    public static let folder = "asyncio"

    /// The executor's name of the cells that play them.
    public static let executor = AsyncioCell.executor

    /// The scenarios' files below the folder of fixtures `path`, sorted; none if it has no such folder.
    public static func find(in path: String) -> [String] {
        let base = (path.hasSuffix("/") ? path : path + "/") + folder + "/"
        guard let names = FileManager.default.enumerator(atPath: base) else { return [] }
        return names.compactMap { $0 as? String }
            .filter { $0.hasSuffix(".json") && !$0.hasSuffix(".trace.json") && $0.contains("/") }
            .map { base + $0 }.sorted()
    }

    /// The scenario in `file`.
    ///
    /// - Throws: `AsyncioFormatError`, `FixtureFiles.FileError`.
    public static func scenario(_ file: String) throws -> AsyncioScenario {
        let scenario = try AsyncioScenario(try FixtureFiles.read(file), file: file)
        guard file.hasSuffix(scenario.id + ".json") else {
            throw AsyncioFormatError(
                file: file, place: "the key 'id'", expected: "the path below the fixtures without .json",
                found: "'\(scenario.id)'")
        }
        return scenario
    }

    /// The recording that lies beside the scenario `file`.
    ///
    /// - Throws: `AsyncioFormatError`, `FixtureFiles.FileError`.
    public static func recording(besides file: String) throws -> AsyncioRecording {
        let path = file.dropLast(".json".utf8.count) + ".trace.json"
        return try AsyncioRecording(try FixtureFiles.read(String(path)), file: String(path))
    }

    /// Whether something lies at `path`.
    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// A new folder for one play, whose name traces know (`PATH`).
    static func makeScratchFolder() throws -> String {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "anyloop-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url.path
    }

    /// Removes what lies at `path`; what cannot be removed stays.
    static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }
}
