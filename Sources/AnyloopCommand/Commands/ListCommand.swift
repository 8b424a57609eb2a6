import AnyloopHarness
import ArgumentParser
import Foundation
import NIOSubjects

/// `anyloop list`: what a run would run.
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the fixtures and scenarios that a run would take, and how many cells each has.")

    @OptionGroup var selection: SelectionOptions

    @Flag(help: "Each cell on a line of its own.")
    var cells = false

    @Flag(help: "Subjects, loops, executors and cut plans instead.")
    var names = false

    func run() throws {
        let registry = Registry.anyloopWithNIO
        if names {
            Output.line("subjects   " + registry.subjects.map(\.name).joined(separator: " "))
            Output.line("loops      " + registry.loopProviders.map(\.name).joined(separator: " "))
            Output.line("executors  " + ExecutorKind.allCases.map(\.rawValue).joined(separator: " "))
            Output.line("cuts       " + CutPlan.allCases.map(\.rawValue).joined(separator: " "))
            Output.line("scenarios  \(registry.scenarios.count)")
            return
        }
        let environment = ProcessInfo.processInfo.environment
        let planned = try PlannedMatrix(selection, registry: registry, environment: environment)
        guard !planned.cells.isEmpty else { throw ExitCode(RunExit.nothingMatched.rawValue) }
        var text = ""
        if cells {
            for cell in planned.cells { text += "\(cell.fixture) \(CellName.text(cell))\n" }
        } else {
            var counts: [String: Int] = [:]
            for cell in planned.cells { counts[cell.fixture, default: 0] += 1 }
            for id in counts.keys.sorted() { text += "\(id)  \(counts[id] ?? 0)\n" }
            text += "\(counts.count) fixtures and scenarios, \(planned.cells.count) cells\n"
        }
        Output.write(text)
    }
}

/// A cell's coordinates but for the fixture.
enum CellName {
    static func text(_ cell: CellSpec) -> String {
        [cell.subject, cell.executor, cell.mode, cell.poller, cell.cuts].filter { !$0.isEmpty }.joined(separator: " ")
    }
}

/// `anyloop show`: a fixture or scenario, and what the matrix makes of it.
struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a fixture or a scenario.")

    @Argument(help: "The id.")
    var id: String

    @Option(help: "The folder of the fixtures.")
    var fixtures = "Fixtures"

    func run() throws {
        if let scenario = Registry.anyloopWithNIO.scenarios.first(where: { $0.id == id }) {
            Output.line("\(scenario.id)\n\(scenario.title)\n\(scenario.executor) against \(scenario.subject)")
            return
        }
        if try showAsyncio() { return }
        let name = id.hasSuffix(".wire") ? id : "\(fixtures)/\(id).wire"
        let text = try FixtureFiles.read(name)
        let fixture = try FixtureFiles.load(name)
        Output.write(text)
        for side in [Fixture.Side.server, .client] where fixture.expectation(side) != nil {
            let subjects = Registry.anyloopWithNIO.subjects.filter { $0.side == side && $0.takes(fixture) }
            let stream = fixture.stream(for: side)
            Output.line(
                "\n# \(side.rawValue): \(stream.bytes.count) bytes in \(stream.boundaries.count + 1) segments, read by "
                    + (subjects.isEmpty ? "nobody" : subjects.map(\.name).joined(separator: ", ")))
        }
    }

    /// Shows a scenario of asyncio's and the trace that loops are held to; false if the id is none's.
    private func showAsyncio() throws -> Bool {
        let file = id.hasSuffix(".json") ? id : "\(fixtures)/\(id).json"
        guard file.contains("\(AsyncioFiles.folder)/"), FileManager.default.fileExists(atPath: file) else {
            return false
        }
        let scenario = try AsyncioFiles.scenario(file)
        let trace = try AsyncioFiles.recording(besides: file).trace(of: scenario.follows)
        Output.write(try FixtureFiles.read(file))
        Output.line("\n# \(AsyncioRecording.name(scenario.follows))")
        for line in trace { Output.line(line) }
        return true
    }
}
