import AnyloopCore
import AnyloopHarness
import AnyloopTesting

/// A pipeline as a parser: bytes go in, events come out, what it writes goes nowhere.
final class PipelineSession: ParserSession {
    private let make: () -> (PipelineProtocol, TraceLog)
    private let loop = MemoryLoop()
    private var host: PipelineProtocol
    private var log: TraceLog
    private var transport: DeafTransport
    private var hasStarted = false

    init(_ make: @escaping () -> (PipelineProtocol, TraceLog)) {
        self.make = make
        (host, log) = make()
        transport = DeafTransport(loop: loop)
    }

    func restart() {
        transport.end(nil)
        loop.runUntilIdle()
        loop.reset()
        (host, log) = make()
        transport = DeafTransport(loop: loop)
        hasStarted = false
    }

    func feed(_ chunk: Span<UInt8>, into trace: inout TraceRecorder) {
        transport.receive(unsafe chunk.withUnsafeBufferPointer { unsafe Array($0) })
        run(into: &trace)
    }

    func end(into trace: inout TraceRecorder) {
        transport.receiveEnd()
        run(into: &trace)
    }

    func reset(into trace: inout TraceRecorder) {
        start(into: &trace)
        log.lend(&trace) {
            transport.end(.system(SystemError(errno: 104, operation: "recv", text: "Connection reset by peer")))
            loop.runUntilIdle()
        }
    }

    private func run(into trace: inout TraceRecorder) {
        start(into: &trace)
        log.lend(&trace) {
            transport.deliver()
            loop.runUntilIdle()
        }
    }

    private func start(into trace: inout TraceRecorder) {
        guard !hasStarted else { return }
        hasStarted = true
        log.lend(&trace) {
            transport.streamProtocol = host
            do {
                try host.connectionMade(transport)
            } catch {
                log.event(.error, "the pipeline was not set up: \(error)")
            }
        }
    }
}

/// A transport of which only the way in works: it delivers what it is given, and takes all that is written.
private final class DeafTransport: StreamTransport {
    private let memoryLoop: MemoryLoop
    var streamProtocol: (any StreamProtocol)?
    private(set) var isClosing = false
    private var inbox: [[UInt8]] = []
    private var hasEnd = false
    private var isPaused = false
    private var isEnding = false
    private(set) var droppedWriteCount = 0
    private(set) var writeBufferLimits = WriteBufferLimits.standard

    init(loop: MemoryLoop) { memoryLoop = loop }

    var loop: any Loop { memoryLoop }
    var socketName: SocketAddress? { nil }
    var peerName: SocketAddress? { nil }
    var writeBufferSize: Int { 0 }
    var canWriteEOF: Bool { true }
    var isReading: Bool { !isPaused && !isClosing }

    func receive(_ bytes: [UInt8]) { inbox.append(bytes) }
    func receiveEnd() { hasEnd = true }

    /// Delivers what waits, as far as it is wanted.
    func deliver() {
        while isReading, !inbox.isEmpty {
            let bytes = inbox.removeFirst()
            do {
                try streamProtocol?.dataReceived(bytes.span)
            } catch {
                return end(.callback(name: "dataReceived", error: error))
            }
        }
        guard isReading, hasEnd else { return }
        hasEnd = false
        if (try? streamProtocol?.eofReceived()) != true { close() }
    }

    /// Ends the connection, in this call.
    func end(_ error: TransportError?) {
        isClosing = true
        let ended = streamProtocol
        streamProtocol = nil
        // A pipeline's host throws nothing here.
        try? ended?.connectionLost(error)
    }

    func close() {
        guard !isClosing else { return }
        isClosing = true
        memoryLoop.callSoon { self.end(nil) }
    }

    func abort() { close() }
    func reset() { close() }
    func writeEOF() {}
    func setWriteBufferLimits(_ limits: WriteBufferLimits) { writeBufferLimits = limits }
    func write(_ bytes: Span<UInt8>) { if isClosing { droppedWriteCount += 1 } }
    func write(_ bytes: [UInt8]) { if isClosing { droppedWriteCount += 1 } }
    func write(contentsOf pieces: [[UInt8]]) { if isClosing { droppedWriteCount += 1 } }

    func sendFile(
        descriptor: Int32, offset: Int64, count: Int, completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        memoryLoop.callSoon { completion(.success(count)) }
    }

    func pauseReading() { isPaused = true }

    func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        memoryLoop.callSoon { self.deliver() }
    }
}
