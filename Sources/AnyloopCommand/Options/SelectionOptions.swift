import AnyloopHarness
import ArgumentParser
import Foundation

/// The options that `run` and `list` share: which matrix, and which of its cells.
struct SelectionOptions: ParsableArguments {
    @Argument(help: "Fixtures or scenarios by id: names, folders, or globs with *, ** and ?.")
    var globs: [String] = []

    @Option(help: "The matrix's file.")
    var matrix = SelectionOptions.standardMatrix

    @Option(help: "The folder of the fixtures.")
    var fixtures = SelectionOptions.standardFixtures

    @Option(help: "Modes: native, compat, nio. Also by COMPAT=1 or NIO=1.")
    var mode: [String] = []

    @Option(help: "Pollers: epoll, poll, select. Also by POLL.")
    var poller: [String] = []

    @Option(
        help:
            "Executors: parser, memory, memory-tls, socketpair, tcp, tls, unix, or a scenario's peer such as curl-tls.")
    var executor: [String] = []

    @Option(help: "Transports: socketpair, tcp, unix; the executors of these names.")
    var transport: [String] = []

    @Option(help: "Cut plans, such as whole, two-way or random.")
    var cuts: [String] = []

    @Option(help: "Subjects by name or glob.")
    var subject: [String] = []

    @Option(help: "The seed of the random cuts; by default the matrix's.")
    var seed: UInt64?

    /// The matrix that is run unless another is named.
    static let standardMatrix = "Matrix/default.yaml"
    /// Where the fixtures lie unless told otherwise.
    static let standardFixtures = "Fixtures"

    /// The transports that `--transport` knows.
    static let transports: [String] = ExecutorKind.allCases.filter(\.needsLoop).map(\.rawValue)

    /// What the options select, checked against `registry`.
    ///
    /// Lists may be repeated or separated by commas.
    /// - Throws: `SettingError` for a name that is not known.
    func selection(registry: Registry, environment: [String: String]) throws(SettingError) -> CellSelection {
        var selection = CellSelection()
        selection.fixtures = globs.map { Glob(id(of: $0)) }
        selection.subjects = words(subject).map { Glob($0) }
        let peers = Set(registry.scenarios.map(\.executor) + [AsyncioFiles.executor]).sorted()
        selection.executors = try known(
            executor, "--executor", ExecutorKind.allCases.map(\.rawValue) + peers)
        let transports = try known(transport, "--transport", Self.transports)
        if !transports.isEmpty {
            selection.executors =
                selection.executors.isEmpty ? transports : selection.executors.filter(transports.contains)
        }
        selection.modes = try modes(environment)
        var pollers = words(poller)
        if pollers.isEmpty, let variable = environment["POLL"], !variable.isEmpty { pollers = [variable] }
        selection.pollers = try known(pollers, poller.isEmpty ? "POLL" : "--poller", registry.pollers)
        selection.cuts = try known(cuts, "--cuts", CutPlan.allCases.map(\.rawValue))
        return selection
    }

    private func modes(_ environment: [String: String]) throws(SettingError) -> [String] {
        var names: [String] = []
        for name in words(mode) {
            if let mode = try ModeSetting.resolve(option: name, environment: [:]) { names.append(mode.rawValue) }
        }
        guard names.isEmpty else { return names }
        return try ModeSetting.resolve(option: nil, environment: environment).map { [$0.rawValue] } ?? []
    }

    /// The id of the fixture or scenario in the file `path`; what names no file stays as it is.
    private func id(of path: String) -> String {
        guard path.hasSuffix(".wire") || path.hasSuffix(".json") else { return path }
        let base = fixtures.hasSuffix("/") ? fixtures : fixtures + "/"
        return String((path.hasPrefix(base) ? String(path.dropFirst(base.count)) : path).dropLast(5))
    }

    private func words(_ values: [String]) -> [String] {
        values.flatMap { $0.split(separator: ",").map(String.init) }
    }

    private func known(_ values: [String], _ option: String, _ names: [String]) throws(SettingError) -> [String] {
        for word in words(values) where !names.contains(word) {
            throw SettingError("\(option): expected one of \(names.joined(separator: ", ")), found '\(word)'")
        }
        return words(values)
    }
}

/// A matrix, read, with its cells planned.
struct PlannedMatrix {
    var matrix: Matrix
    var cells: [CellSpec]
    /// The fixtures' files by id.
    var files: [String: String]
    /// The rules that asyncio's scenarios show, by id.
    var rules: [String: [Int]] = [:]
    /// Whether all of asyncio's scenarios and all checks of rules are run, whatever else is.
    var isWhole: Bool

    /// Reads the matrix and the fixtures that are selected, and plans the cells.
    init(_ options: SelectionOptions, registry: Registry, environment: [String: String]) throws {
        let selection = try options.selection(registry: registry, environment: environment)
        let text = String(decoding: try FixtureFiles.read(options.matrix), as: UTF8.self)
        matrix = try Matrix(file: options.matrix, text: text, registry: registry)
        if let seed = options.seed { matrix.seed = seed }
        files = [:]
        var fixtures: [PlannedFixture] = []
        let base = options.fixtures.hasSuffix("/") ? options.fixtures : options.fixtures + "/"
        for file in try FixtureFiles.find(at: options.fixtures) {
            let name = file.hasPrefix(base) ? String(file.dropFirst(base.count)) : file
            guard selection.fixtures.match(String(name.dropLast(5)), empty: true) else { continue }
            let fixture = try FixtureFiles.load(file)
            fixtures.append(PlannedFixture(fixture: fixture, file: file))
            files[fixture.id] = file
        }
        var asyncio: [String] = []
        for file in AsyncioFiles.find(in: options.fixtures) {
            let id = String(file.dropFirst(base.count).dropLast(".json".count))
            guard selection.fixtures.match(id, empty: true) else { continue }
            asyncio.append(id)
            files[id] = file
            // A scenario that cannot be read says so when its cell is run.
            rules[id] = try? AsyncioFiles.scenario(file).rules
        }
        cells = matrix.cells(fixtures: fixtures, asyncio: asyncio, registry: registry, selection: selection)
        let narrows = !(selection.fixtures.isEmpty && selection.subjects.isEmpty && selection.executors.isEmpty)
        let planned = Set(cells.map(\.fixture))
        let checks = registry.scenarios.filter { !$0.rules.isEmpty }.map(\.id)
        isWhole = !narrows && (asyncio + checks).allSatisfy(planned.contains)
    }
}
