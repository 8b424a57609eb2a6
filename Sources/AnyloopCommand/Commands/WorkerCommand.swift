import AnyloopHarness
import ArgumentParser
import NIOSubjects

/// `anyloop worker`: what `run` starts copies of; cells on standard input, records on standard output.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Runs cells for 'anyloop run'.", shouldDisplay: false)

    @Option var matrix: String
    @Option var seed: UInt64
    @Option var cut: String?

    func run() throws {
        let registry = Registry.anyloopWithNIO
        let text = String(decoding: try FixtureFiles.read(matrix), as: UTF8.self)
        let limits = try Matrix(file: matrix, text: text, registry: registry).limits
        let performer = CellPerformer(registry: registry, seed: seed, limits: limits, cut: cut)
        try MatrixWorker { try performer.perform($0, file: $1) }.serve()
    }
}
