import CAnyloopSystem

/// What the pool cannot go on from.
public enum WorkerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The program could not be started.
    case cannotStart(program: String, errno: Int32)
    /// The worker ended before it was ready for its first job.
    case notReady(program: String, output: String)
    /// Waiting for the workers failed.
    case cannotWait(errno: Int32)
    /// The worker answered with something that is no result.
    case badResult(line: String)

    /// One sentence for the user.
    public var description: String {
        switch self {
        case .cannotStart(let program, let errno): "cannot start the worker \(program) (errno \(errno))"
        case .notReady(let program, let output):
            "the worker \(program) ended before it was ready" + (output.isEmpty ? "" : ": \(output)")
        case .cannotWait(let errno): "cannot wait for the workers (errno \(errno))"
        case .badResult(let line): "a worker answered with something that is no result: \(line.prefix(200))"
        }
    }
}

/// One child of the pool: a program that reads jobs as lines and answers with one line an item.
final class WorkerProcess {
    /// The most of a worker's standard error that is kept for the report of a crash, in bytes.
    static let errorTailLimit = 8192

    let program: String
    private(set) var child = anyloop_child()
    private var partial: [UInt8] = []
    private var errorTail: [UInt8] = []
    private var outputEnded = false

    /// Starts `program` with `arguments` (its name not among them).
    init(program: String, arguments: [String]) throws(WorkerError) {
        self.program = program
        var block: [UInt8] = []
        for argument in [program] + arguments {
            block += argument.utf8
            block.append(0)
        }
        let failure = unsafe block.withUnsafeBytes { raw in
            let text = unsafe raw.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe anyloop_child_spawn(program, text, arguments.count + 1, &child)
        }
        guard failure == 0 else { throw .cannotStart(program: program, errno: failure) }
    }

    /// Gives the worker its next job; false if it is gone.
    func send(_ line: [UInt8]) -> Bool {
        var bytes = line
        bytes.append(UInt8(ascii: "\n"))
        return unsafe bytes.withUnsafeBytes { raw in
            unsafe anyloop_pipe_write(child.input, raw.baseAddress, raw.count) == 0
        }
    }

    /// The complete lines that have arrived, and whether the output has ended.
    func readLines() -> (lines: [String], ended: Bool) {
        let (bytes, ended) = Self.drain(child.output)
        outputEnded = outputEnded || ended
        var lines: [String] = []
        var start = 0
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
            partial += bytes[start..<index]
            lines.append(String(decoding: partial, as: UTF8.self))
            partial.removeAll(keepingCapacity: true)
            start = index + 1
        }
        partial += bytes[start...]
        return (lines, outputEnded)
    }

    /// Keeps the end of what the worker said on standard error.
    func readErrors() {
        errorTail += Self.drain(child.errors).bytes
        if errorTail.count > Self.errorTailLimit { errorTail.removeFirst(errorTail.count - Self.errorTailLimit) }
    }

    /// What the worker said last, forgotten by asking.
    func takeErrorOutput() -> String {
        readErrors()
        defer { errorTail.removeAll() }
        return String(decoding: errorTail, as: UTF8.self)
    }

    /// Waits for the end of a worker whose output has ended.
    func reap() -> WorkerEnd {
        var status: Int32 = 0
        var signal: Int32 = 0
        _ = unsafe anyloop_child_reap(child.pid, &status, &signal)
        let output = takeErrorOutput()
        closePipes()
        return signal == 0 ? .exited(status: status, output: output) : .signalled(name(of: signal), output: output)
    }

    /// Ends a worker that does not answer.
    func kill() -> String {
        let output = takeErrorOutput()
        _ = anyloop_child_kill(child.pid, 9)
        _ = reap()
        return output
    }

    /// Ends an idle worker: its input ends, so it returns.
    func dismiss() {
        anyloop_pipe_close(child.input)
        child.input = -1
        var status: Int32 = 0
        var signal: Int32 = 0
        _ = unsafe anyloop_child_reap(child.pid, &status, &signal)
        closePipes()
    }

    private func closePipes() {
        for descriptor in [child.input, child.output, child.errors] where descriptor >= 0 {
            anyloop_pipe_close(descriptor)
        }
        child.input = -1
        child.output = -1
        child.errors = -1
    }

    private func name(of signal: Int32) -> String {
        var text = [CChar](repeating: 0, count: 32)
        unsafe anyloop_signal_name(signal, &text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func drain(_ descriptor: Int32) -> (bytes: [UInt8], ended: Bool) {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let got = unsafe buffer.withUnsafeMutableBytes { raw in
                unsafe anyloop_pipe_read(descriptor, raw.baseAddress, raw.count)
            }
            guard got > 0 else { return (all, got == 0) }
            all += buffer[..<got]
            guard got == buffer.count else { return (all, false) }
        }
    }
}

/// How a worker ended.
enum WorkerEnd: Hashable {
    /// By itself, with a status.
    case exited(status: Int32, output: String)
    /// By a signal.
    case signalled(String, output: String)
}
