import AnyloopCore

/// A scenario for an event loop, as `Fixtures/asyncio` has them: steps of a driver, and what protocols do in callbacks.
public struct AsyncioScenario: Sendable {
    /// Who works the steps.
    enum Driver: String, Sendable, CaseIterable {
        /// A task on the running loop.
        case task
        /// The thread of the loop, which does not run between the steps.
        case outside
    }

    /// Its name: the path below `Fixtures` without `.json`.
    public let id: String
    /// One line: what it shows.
    public let title: String
    /// The numbers of the contract's rules that it shows.
    public let rules: [Int]
    /// The file it was read from.
    public let file: String
    /// The version of CPython whose recording our loops follow.
    public let follows: String
    /// The names of loops of which there is no recording, with the reasons.
    public let without: [String: String]

    let react: [String: [String: [AsyncioStep]]]
    let steps: [AsyncioStep]
    let showsTurns: Bool
    let isDebug: Bool
    let driver: Driver
    let bufferSize: Int
    let everyGetBuffer: Bool
    /// What the loop's resolver answers for names.
    let names: [String: [SocketAddress]?]

    /// The version that loops follow where a scenario says nothing else.
    public static let followedVersion = "3.11"

    private static let keys: Set<String> = [
        "asyncio", "id", "title", "rules", "turns", "debug", "driver", "follows", "without", "buffer_size",
        "every_get_buffer", "names", "react", "steps",
    ]

    /// Reads a scenario.
    ///
    /// - Throws: `AsyncioFormatError` with the file, the place and what was expected there.
    public init(_ bytes: [UInt8], file: String) throws(AsyncioFormatError) {
        self.file = file
        let root = try AsyncioTable(file: file, place: "the file", try AsyncioValue.parse(bytes, file: file))
        // First of all: another version may have other keys.
        guard root.values["asyncio"] == .number(1) else {
            throw root.error("asyncio", expected: FormatVersion.expected)
        }
        try root.check(keys: Self.keys)
        id = try root.text("id")
        title = try root.text("title")
        rules = try root.numbers("rules")
        showsTurns = try root.flag("turns", or: false)
        isDebug = try root.flag("debug", or: false)
        guard let driver = Driver(rawValue: try root.text("driver", or: Driver.task.rawValue)) else {
            throw root.error("driver", expected: "'task' or 'outside'")
        }
        self.driver = driver
        bufferSize = try root.number("buffer_size", or: 65536)
        everyGetBuffer = try root.flag("every_get_buffer", or: false)
        if let value = root.values["follows"] {
            follows = try AsyncioTable(file: file, place: "follows", value).text("version")
        } else {
            follows = Self.followedVersion
        }
        var without: [String: String] = [:]
        if let value = root.values["without"] {
            let table = try AsyncioTable(file: file, place: "without", value)
            for loop in table.values.keys { without[loop] = try table.text(loop) }
        }
        self.without = without
        names = try Self.names(root)
        steps = try AsyncioStep.list(file: file, place: "step", try root.list("steps"))
        react = try Self.reactions(root)
    }

    private static func names(_ root: AsyncioTable) throws(AsyncioFormatError) -> [String: [SocketAddress]?] {
        guard let value = root.values["names"] else { return [:] }
        let table = try AsyncioTable(file: root.file, place: "names", value)
        var names: [String: [SocketAddress]?] = [:]
        for name in table.values.keys {
            guard table.values[name] != .null else {
                names[name] = .some(nil)
                continue
            }
            var addresses: [SocketAddress] = []
            for text in try table.texts(name) {
                guard let address = SocketAddress(literal: text, port: 0) else {
                    throw table.error(name, expected: "IP addresses")
                }
                addresses.append(address)
            }
            names[name] = addresses
        }
        return names
    }

    private static func reactions(_ root: AsyncioTable) throws(AsyncioFormatError) -> [String: [String: [AsyncioStep]]]
    {
        var react: [String: [String: [AsyncioStep]]] = [:]
        guard let value = root.values["react"] else { return react }
        let actors = try AsyncioTable(file: root.file, place: "react", value)
        for (actor, value) in actors.values {
            let callbacks = try AsyncioTable(file: root.file, place: "react \(actor)", value)
            for callback in callbacks.values.keys {
                react[actor, default: [:]][callback] = try AsyncioStep.list(
                    file: root.file, place: "react \(actor) \(callback)", try callbacks.list(callback))
            }
        }
        return react
    }
}
