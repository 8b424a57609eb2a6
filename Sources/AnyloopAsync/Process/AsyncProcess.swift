import AnyloopCore

/// A child process and its streams (asyncio: `subprocess.Process`). Confined to its loop's thread.
///
/// `createSubprocessExec` and `createSubprocessShell` make them. Hold on to it as long as the process runs.
public final class AsyncProcess {
    private let loop: any TaskLoop
    private let streams: ProcessStreams

    /// The process underneath (asyncio keeps it to itself).
    public let transport: any SubprocessTransport

    /// To write its standard input; nil unless that is a pipe.
    public let stdin: StreamWriter?
    /// To read its standard output; nil unless that is a pipe.
    public let stdout: StreamReader?
    /// To read its standard error; nil unless that is a pipe.
    public let stderr: StreamReader?

    init(loop: any TaskLoop, transport: any SubprocessTransport, streams: ProcessStreams) {
        self.loop = loop
        self.transport = transport
        self.streams = streams
        stdin = streams.stdin
        stdout = streams.stdout
        stderr = streams.stderr
    }

    /// The process's number.
    public var pid: Int32 { transport.pid }

    /// Its exit status, or the signal that ended it, negated; nil while it runs (asyncio: `returncode`).
    public var returnCode: Int32? { transport.returnCode }

    /// Waits until the process has ended and its pipes are closed; how it ended (asyncio: `wait`).
    ///
    /// Takes no turn once it has ended. A process that fills a pipe that nobody reads never ends: use `communicate`.
    ///
    /// - Throws: `TransportError.cancelled` with the task, `.loopClosed`.
    @discardableResult
    public nonisolated(nonsending) func wait() async throws -> Int32 {
        if let returnCode { return returnCode }
        let waiter = loop.createFuture(of: Int32.self)
        streams.exitWaiters.append(waiter)
        return try await waiter.value
    }

    /// Sends a signal (asyncio: `send_signal`).
    ///
    /// - Throws: as `SubprocessTransport.sendSignal`.
    public func sendSignal(_ signal: Int32) throws(TransportError) { try transport.sendSignal(signal) }

    /// Asks the process to end (asyncio: `terminate`).
    ///
    /// - Throws: as `SubprocessTransport.terminate`.
    public func terminate() throws(TransportError) { try transport.terminate() }

    /// Ends the process (asyncio: `kill`).
    ///
    /// - Throws: as `SubprocessTransport.kill`.
    public func kill() throws(TransportError) { try transport.kill() }

    /// Writes `input`, closes the standard input, and reads the outputs to their ends while it does; then waits for
    /// the process (asyncio: `communicate`).
    ///
    /// What it writes is held in memory, without a limit.
    ///
    /// - Returns: what came from the standard output and error; nil where that is no pipe.
    /// - Throws: what reading throws; `TransportError.usage` for input without a pipe to write it to; `.cancelled`.
    public nonisolated(nonsending) func communicate(
        _ input: [UInt8]? = nil
    ) async throws -> (stdout: [UInt8]?, stderr: [UInt8]?) {
        if input != nil, stdin == nil {
            throw TransportError.usage("the process has no pipe for its input; make it with stdin: .pipe")
        }
        let feeding: () async throws -> [UInt8]? = { [self] in
            try await feed(input)
            return nil
        }
        let results = try await loop.gather([
            feeding, { [self] in try await drain(stdout, 1) }, { [self] in try await drain(stderr, 2) },
        ]).value
        try await wait()
        return (results[1], results[2])
    }

    private nonisolated(nonsending) func feed(_ input: [UInt8]?) async throws {
        guard let stdin else { return }
        if let input {
            stdin.write(input)
            do {
                try await stdin.drain()
            } catch let error as TransportError where error.errno == 32 || error.errno == 104 {
                // The process does not care for the rest.
            }
        }
        stdin.close()
    }

    private nonisolated(nonsending) func drain(_ reader: StreamReader?, _ descriptor: Int32) async throws -> [UInt8]? {
        guard let reader else { return nil }
        let pipe = transport.pipeTransport(descriptor)
        let bytes = try await reader.read()
        pipe?.close()
        return bytes
    }
}

/// Feeds a process's readers (asyncio: `SubprocessStreamProtocol`).
final class ProcessStreams: SubprocessProtocol {
    private let loop: any TaskLoop
    private let limit: Int
    private let flow: StreamFlow
    private var transport: (any SubprocessTransport)?
    private var openOutputs: Set<Int32> = []
    private var hasExited = false
    private(set) var stdin: StreamWriter?
    private(set) var stdout: StreamReader?
    private(set) var stderr: StreamReader?
    var exitWaiters: [Future<Int32>] = []

    init(loop: any TaskLoop, limit: Int) {
        self.loop = loop
        self.limit = limit
        flow = StreamFlow(loop: loop)
    }

    func connectionMade(_ transport: any SubprocessTransport) throws {
        self.transport = transport
        stdout = try reader(1, transport)
        stderr = try reader(2, transport)
        if let pipe = transport.pipeTransport(0) {
            stdin = StreamWriter(loop: loop, transport: pipe, flow: flow, reader: nil)
        }
    }

    private func reader(_ descriptor: Int32, _ transport: any SubprocessTransport) throws -> StreamReader? {
        guard let pipe = transport.pipeTransport(descriptor) else { return nil }
        let reader = try StreamReader(loop: loop, limit: limit)
        reader.setTransport(pipe)
        openOutputs.insert(descriptor)
        return reader
    }

    private func reader(_ descriptor: Int32) -> StreamReader? { descriptor == 1 ? stdout : stderr }

    func pipeDataReceived(_ descriptor: Int32, _ data: Span<UInt8>) { reader(descriptor)?.feedData(data) }

    func pipeConnectionLost(_ descriptor: Int32, _ error: TransportError?) throws {
        guard descriptor != 0 else {
            stdin?.close()
            return try flow.lost(error)
        }
        if let error { reader(descriptor)?.setException(error) } else { reader(descriptor)?.feedEOF() }
        openOutputs.remove(descriptor)
        closeIfDone()
    }

    func processExited() {
        hasExited = true
        closeIfDone()
    }

    private func closeIfDone() {
        if openOutputs.isEmpty, hasExited { transport?.close() }
    }

    func connectionLost(_ error: TransportError?) throws {
        let code = transport?.returnCode
        transport = nil
        for waiter in exitWaiters where !waiter.isDone {
            if let code { try waiter.setResult(code) } else { try waiter.setError(error ?? .cancelled) }
        }
        exitWaiters = []
    }

    func pauseWriting() { flow.pause() }

    func resumeWriting() { flow.resume() }
}
