/// Which cells a run has: the contents of `Matrix/*.yaml`.
public struct Matrix: Sendable {
    /// A block of cells: the product of its lists.
    public struct Block: Sendable {
        /// Fixtures or scenarios by their ids.
        public var fixtures: [Glob]
        /// Those left out of them.
        public var except: [Glob] = []
        /// Subjects by name; empty: all.
        public var subjects: [Glob] = []
        /// How fixtures are run; empty for a block of scenarios.
        public var executors: [ExecutorKind]
        /// On which modes, where a loop is needed.
        public var modes: [Mode]
        /// On which pollers, where a loop is needed.
        public var pollers: [String]
        /// With which cut plans.
        public var cuts: [CutPlan]
        /// Whether the block selects scenarios instead of fixtures.
        public var isScenarios: Bool { executors.isEmpty }
    }

    /// The file it was read from.
    public var file: String
    /// The seed of the random cuts.
    public var seed: UInt64 = 1
    /// How long one cell may take before it counts as hung.
    public var deadline: Duration = .seconds(60)
    /// Up to where the plans are exhaustive.
    public var limits = CutLimits.standard
    /// The blocks; a cell that several of them name is run once.
    public var blocks: [Block] = []

    private static let keys = ["version", "seed", "deadline", "limits", "cells"]
    private static let blockKeys = [
        "fixtures", "scenarios", "except", "subjects", "executors", "modes", "pollers", "cuts",
    ]

    /// Reads a matrix; names are checked against what `registry` has.
    ///
    /// - Throws: `SettingsError` with file, line and what was expected.
    public init(file: String, text: String, registry: Registry) throws(SettingsError) {
        self.file = file
        let reader = try YAMLReader(file: file, text: text)
        let root = try reader.mapping("a matrix with the keys " + Self.keys.joined(separator: ", "), keys: Self.keys)
        try root["version"]?.formatVersion()
        if let place = root["seed"] { seed = UInt64(try place.number("a seed", in: 0...Int.max)) }
        if let place = root["deadline"] { deadline = try place.duration("a deadline") }
        if let place = root["limits"] { limits = try Self.limits(place) }
        guard let cells = root["cells"] else { throw reader.error(expected: "the key cells", found: "none") }
        for item in try cells.list("a list of blocks of cells") {
            blocks.append(try Self.block(item, registry: registry))
        }
    }

    private static func limits(_ place: YAMLReader) throws(SettingsError) -> CutLimits {
        var limits = CutLimits.standard
        let names: [(String, WritableKeyPath<CutLimits, Int>)] = [
            ("exhaustive-bytes", \.exhaustiveBytes), ("head-bytes", \.headBytes),
            ("around-boundary", \.aroundBoundary), ("sampled-offsets", \.sampledOffsets),
            ("offset-count", \.offsetCount), ("random-cuts", \.randomCuts), ("random-pieces", \.randomPieces),
            ("every-byte-bytes", \.everyByteBytes), ("mutations", \.mutations),
            ("ciphertext-offsets", \.ciphertextOffsets), ("handshake-offsets", \.handshakeOffsets),
        ]
        let values = try place.mapping("limits of the cut plans", keys: names.map(\.0))
        for (name, path) in names {
            if let value = values[name] { limits[keyPath: path] = try value.number("a count", in: 0...(1 << 30)) }
        }
        return limits
    }

    private static func block(_ item: YAMLReader, registry: Registry) throws(SettingsError) -> Block {
        let values = try item.mapping("a block with the keys " + blockKeys.joined(separator: ", "), keys: blockKeys)
        func globs(_ key: String) throws(SettingsError) -> [Glob] {
            guard let place = values[key] else { return [] }
            let texts = try place.texts("globs of \(key)").map { Glob($0.text) }
            return texts == [Glob("all")] ? [Glob("**")] : texts
        }
        func choices<Choice: RawRepresentable<String>>(
            _ key: String, of all: [Choice]
        ) throws(SettingsError) -> [Choice] {
            guard let place = values[key] else { return all }
            let names = try place.choices("\(key)", of: all.map(\.rawValue))
            return all.filter { names.contains($0.rawValue) }
        }
        let isScenarios = values["scenarios"] != nil
        guard isScenarios != (values["fixtures"] != nil) else {
            throw item.error(expected: "either fixtures or scenarios", found: isScenarios ? "both" : "neither")
        }
        if isScenarios, let place = values["executors"] ?? values["cuts"] {
            throw place.error(expected: "neither executors nor cuts in a block of scenarios")
        }
        let pollers = registry.pollers
        return Block(
            fixtures: try globs(isScenarios ? "scenarios" : "fixtures"), except: try globs("except"),
            subjects: try globs("subjects"),
            executors: isScenarios ? [] : try choices("executors", of: ExecutorKind.allCases),
            modes: try choices("modes", of: registry.modes),
            pollers: try values["pollers"]?.choices("pollers", of: pollers) ?? pollers,
            cuts: isScenarios ? [] : try choices("cuts", of: CutPlan.allCases))
    }
}
