import CAnyloopSystem
import Foundation

/// What a worker is asked: cells of one fixture or scenario.
struct WorkerRequest: Codable {
    /// The fixture's file; nil for a scenario.
    var file: String?
    /// The cells, in the order of the answers.
    var cells: [CellSpec]
}

/// The worker's side of a run: reads requests on standard input, answers on standard output.
public struct MatrixWorker {
    /// Runs one cell; what it throws ends the worker.
    public typealias Perform = (_ cell: CellSpec, _ file: String?) throws -> CellRecord

    private let perform: Perform

    /// A worker that runs cells by `perform`.
    public init(perform: @escaping Perform) {
        self.perform = perform
    }

    /// Serves until standard input ends.
    ///
    /// - Throws: what `perform` throws, and `WorkerError` for a request that is none.
    public func serve() throws {
        anyloop_child_follow_parent()
        let output = anyloop_child_take_output()
        guard output >= 0 else { throw WorkerError.cannotWait(errno: -output) }
        guard send(WorkerPool.greeting, to: output) else { return }
        while let line = readLine() {
            guard let request = try? JSONDecoder().decode(WorkerRequest.self, from: Data(line.utf8)) else {
                throw WorkerError.badResult(line: line)
            }
            for cell in request.cells {
                let record = try perform(cell, request.file)
                guard send(try NDJSON.line(record), to: output) else { return }
            }
        }
    }

    private func send(_ line: String, to descriptor: Int32) -> Bool {
        var line = line + "\n"
        return line.withUTF8 { unsafe anyloop_pipe_write(descriptor, $0.baseAddress, $0.count) == 0 }
    }
}
