import AnyloopCore
import AnyloopNativeLoop
import CAnyloopSystem
import Testing

/// The loops under test, and the ways in which they learn of a child's end.
enum LoopKind: String, CaseIterable, Sendable {
    case native
    case compat

    typealias TestedLoop = ProcessLoop & SendFileLoop

    func make(
        _ watcher: ChildWatcherKind = .standard, _ poller: PollerKind = .standard
    ) throws -> any TestedLoop {
        var options = NativeLoopOptions()
        options.childWatcher = watcher
        options.poller = poller
        return switch self {
        case .native: try NativeLoop(options: options)
        case .compat: try CompatLoop(options: options)
        }
    }
}

extension Loop {
    /// Runs turns until `condition` holds, at most ten seconds.
    func wait(
        _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, until condition: () -> Bool
    ) throws {
        let end = ContinuousClock.now + .seconds(10)
        while !condition() {
            try #require(ContinuousClock.now < end, what, sourceLocation: sourceLocation)
            try runOnce(timeout: .milliseconds(20))
        }
    }

    /// Runs a few turns, so that what must not happen has the time to.
    func settle() throws {
        for _ in 0..<10 { try runOnce(timeout: .milliseconds(1)) }
    }
}

/// Both ends of a pipe, the far one worked by hand.
final class TestPipe {
    let near: Int32
    private(set) var far: Int32

    init(readingNear: Bool) throws {
        var (source, sink) = (Int32(-1), Int32(-1))
        try #require(unsafe anyloop_pipe(&source, &sink) == 0)
        (near, far) = readingNear ? (source, sink) : (sink, source)
        _ = anyloop_set_non_blocking(far)
    }

    deinit { closeFar() }

    func closeFar() {
        if far >= 0 { _ = anyloop_close(far) }
        far = -1
    }

    func send(_ text: String) { try? send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        let count = unsafe bytes.withUnsafeBytes { unsafe anyloop_write(far, $0.baseAddress, $0.count) }
        try #require(Int(count) == bytes.count)
    }

    /// What is in the pipe now; nil at its end.
    func receive(upTo limit: Int = 1 << 20) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe anyloop_read(far, $0.baseAddress, $0.count) }
        if count == 0 { return nil }
        return Array(buffer[..<max(0, Int(count))])
    }
}

/// Writes down what a child and its pipes did, each callback a word.
final class SubprocessLog: SubprocessProtocol {
    private(set) var lines: [String] = []
    private(set) var output: [Int32: [UInt8]] = [:]
    private(set) var transport: (any SubprocessTransport)?
    private(set) var isLost = false
    var onMade: ((any SubprocessTransport) throws -> Void)?
    var onExit: ((any SubprocessTransport) throws -> Void)?

    func connectionMade(_ transport: any SubprocessTransport) throws {
        lines.append("made")
        self.transport = transport
        try onMade?(transport)
    }

    func pipeDataReceived(_ descriptor: Int32, _ data: Span<UInt8>) {
        if lines.last != "data \(descriptor)" { lines.append("data \(descriptor)") }
        unsafe data.withUnsafeBufferPointer { unsafe output[descriptor, default: []].append(contentsOf: $0) }
    }

    func pipeConnectionLost(_ descriptor: Int32, _ error: TransportError?) {
        lines.append("pipe \(descriptor) lost" + (error.map { " \($0.errno ?? -1)" } ?? ""))
    }

    func processExited() throws {
        lines.append("exited")
        if let transport { try onExit?(transport) }
    }

    func connectionLost(_ error: TransportError?) {
        lines.append("lost" + (error.map { " \($0)" } ?? ""))
        isLost = true
    }

    func pauseWriting() { lines.append("pause") }

    func resumeWriting() { lines.append("resume") }

    /// What the child wrote, as text.
    func text(_ descriptor: Int32) -> String { String(decoding: output[descriptor] ?? [], as: UTF8.self) }
}

extension ProcessLoop {
    /// Runs a shell command to its end.
    func shell(
        _ command: String, _ options: SubprocessOptions = SubprocessOptions(), _ log: SubprocessLog = SubprocessLog(),
        closingInput: Bool = true
    ) throws -> (log: SubprocessLog, transport: any SubprocessTransport) {
        let transport = try subprocessShell(command, options: options) { log }
        if closingInput, options.stdin == .pipe {
            try wait("the process's pipes") { log.transport != nil }
            transport.pipeTransport(0)?.close()
        }
        try wait("the end of \(command)") { log.isLost }
        return (log, transport)
    }
}

/// Descriptors that this process has open.
func openDescriptorNumbers() -> Set<Int32> {
    Set((0..<512).filter { anyloop_descriptor_kind($0) >= 0 })
}
