/// A rule of asyncio's contract, as `Fixtures/asyncio/rules.json` numbers them.
public struct AsyncioRule: Sendable, Hashable {
    /// What shows that a loop keeps it.
    public enum Place: String, Sendable, CaseIterable {
        /// Scenarios, whose traces are compared with asyncio's.
        case scenario
        /// A check written in Swift, for what no trace can show.
        case check
        /// Nothing: it has no counterpart in Swift.
        case none
    }

    /// Its number, from 1.
    public let number: Int
    /// What it is about, in large: `F. Stream transport: ending`.
    public let section: String
    /// What asyncio does.
    public let text: String
    /// Where CPython does or tests it.
    public let source: String
    /// How other loops and versions do, by name: `3.13`, `uvloop`.
    public let differs: [String: String]
    /// What shows that a loop keeps it.
    public let place: Place
    /// What there is to say about the place; nil for scenarios.
    public let why: String?

    /// The file of the rules in the folder of the fixtures.
    public static let file = "asyncio/rules.json"

    /// A rule.
    public init(
        number: Int, section: String, text: String, source: String, differs: [String: String] = [:], place: Place,
        why: String? = nil
    ) {
        self.number = number
        self.section = section
        self.text = text
        self.source = source
        self.differs = differs
        self.place = place
        self.why = why
    }

    private static let keys: Set<String> = ["number", "section", "text", "source", "differs", "place", "why"]

    /// The rules in `bytes`, in their order.
    ///
    /// - Throws: `AsyncioFormatError` with the file, the place and what was expected there.
    public static func parse(_ bytes: [UInt8], file: String) throws(AsyncioFormatError) -> [AsyncioRule] {
        let root = try AsyncioValue.parse(bytes, file: file)
        guard case .list(let values) = root else {
            throw AsyncioFormatError(file: file, place: "the file", expected: "a list of rules", found: root.kind)
        }
        var rules: [AsyncioRule] = []
        for (index, value) in values.enumerated() {
            let table = try AsyncioTable(file: file, place: "rule \(index + 1)", value)
            try table.check(keys: keys)
            guard try table.number("number") == index + 1 else {
                throw table.error("number", expected: "the number \(index + 1)")
            }
            rules.append(try rule(table))
        }
        return rules
    }

    private static func rule(_ table: AsyncioTable) throws(AsyncioFormatError) -> AsyncioRule {
        guard let place = Place(rawValue: try table.text("place")) else {
            throw table.error("place", expected: "one of \(Place.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        var differs: [String: String] = [:]
        if let value = table.values["differs"] {
            let others = try AsyncioTable(file: table.file, place: "\(table.place), differs", value)
            for loop in others.values.keys { differs[loop] = try others.text(loop) }
        }
        return AsyncioRule(
            number: try table.number("number"), section: try table.text("section"), text: try table.text("text"),
            source: try table.text("source"), differs: differs, place: place, why: try table.optionalText("why"))
    }

    /// The rules of the fixtures in `folder`; none where the file is missing.
    ///
    /// - Throws: `AsyncioFormatError`, `FixtureFiles.FileError`.
    public static func load(fixtures folder: String) throws -> [AsyncioRule] {
        let path = (folder.hasSuffix("/") ? folder : folder + "/") + file
        guard AsyncioFiles.exists(path) else { return [] }
        return try parse(FixtureFiles.read(path), file: path)
    }
}
