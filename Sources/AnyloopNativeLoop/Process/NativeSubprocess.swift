import AnyloopCore
import CAnyloopSystem

/// A child process on a `NativeLoop` (asyncio: `BaseSubprocessTransport`), in asyncio's steps on both loops.
///
/// The loop holds it until `connectionLost`. The child is reaped on the loop's thread only: until then its number is
/// its own, and signals reach nobody else.
final class NativeSubprocess: SubprocessTransport, PendingWork {
    private enum Phase {
        case open
        /// `connectionLost` is queued.
        case ending
        case over
    }

    let native: NativeLoop
    let pid: Int32
    var subprocessProtocol: (any SubprocessProtocol)?
    private(set) var returnCode: Int32?
    private(set) var isClosing = false

    /// By the child's descriptor; nil where there is no pipe, or it is not connected yet.
    private var pipes: [SubprocessPipe?] = [nil, nil, nil]
    /// Our ends that are not connected yet; -1 for none.
    private var ends: [Int32]
    /// Callbacks that came before `connectionMade`; nil from then on.
    private var pendingCalls: [() throws -> Void]? = []
    private var completion: ((Result<Void, TransportError>) -> Void)?
    private var isMade = false
    private var isReaped = false
    private var phase = Phase.open
    private var isLoopClosing = false
    private var number: UInt64 = 0

    init(
        loop: NativeLoop, pid: Int32, ends: [Int32], protocol subprocessProtocol: any SubprocessProtocol,
        completion: @escaping (Result<Void, TransportError>) -> Void
    ) {
        native = loop
        self.pid = pid
        self.ends = ends
        self.subprocessProtocol = subprocessProtocol
        self.completion = completion
        number = loop.register(self)
    }

    var loop: any Loop { native.facade ?? native }

    func pipeTransport(_ descriptor: Int32) -> (any PipeTransport)? {
        pipes.indices.contains(Int(descriptor)) ? pipes[Int(descriptor)]?.transport : nil
    }

    // MARK: Connecting

    /// Connects the pipes one after the other, then has `connectionMade` called.
    func connect() {
        native.callSoon { self.connectNext() }
    }

    private func connectNext() {
        guard let number = ends.firstIndex(where: { $0 >= 0 }) else { return connected() }
        let pipe = SubprocessPipe(self, Int32(number))
        do throws(TransportError) {
            if number == 0 {
                try native.connectWritePipe(descriptor: ends[number]) { pipe }
            } else {
                try native.connectReadPipe(descriptor: ends[number]) { pipe }
            }
        } catch {
            return failed(error)
        }
        ends[number] = -1
        pipes[number] = pipe
        // A turn for the pipe's connectionMade, and one more in which asyncio's task goes on.
        native.callSoon { self.native.callSoon { self.connectNext() } }
    }

    private func connected() {
        let pending = pendingCalls ?? []
        native.callSoon {
            self.isMade = true
            try self.subprocessProtocol?.connectionMade(self)
        }
        for callback in pending { native.callSoon(callback) }
        pendingCalls = nil
        complete(.success(()))
    }

    /// A pipe could not be connected: the process goes, and its protocol hears nothing.
    private func failed(_ error: TransportError) {
        subprocessProtocol = nil
        pendingCalls = nil
        closeEnds()
        close()
        complete(.failure(error))
    }

    /// Gives up a process whose end could not be learnt.
    func discard() {
        isReaped = true
        AbandonedChild.end(pid)
        closeEnds()
        native.pendingWork[number] = nil
    }

    private func complete(_ result: Result<Void, TransportError>) {
        let completion = completion
        self.completion = nil
        completion?(result)
    }

    private func closeEnds() {
        for end in ends where end >= 0 { _ = anyloop_close(end) }
        ends = [-1, -1, -1]
    }

    // MARK: What happens

    func pipeDataReceived(_ number: Int32, _ bytes: [UInt8]) {
        call { try self.subprocessProtocol?.pipeDataReceived(number, bytes.span) }
    }

    func pipeConnectionLost(_ number: Int32, _ error: TransportError?) {
        call { try self.subprocessProtocol?.pipeConnectionLost(number, error) }
        finishIfDone()
    }

    /// The child ended. As in asyncio a turn passes, in which what the pipes brought meanwhile comes first.
    func ended() {
        native.callSoon { self.native.callSoon { self.exited() } }
    }

    private func exited() {
        guard !isReaped else { return }
        isReaped = true
        var code: Int32 = 0
        let found = unsafe anyloop_process_reap(pid, 0, &code)
        if found != 1 {
            // Something else in this program reaped it.
            native.log(.warning, "child process pid \(pid) exit status already read:  will report returncode 255")
        }
        returnCode = found == 1 ? code : 255
        if native.isDebug { native.log(.info, "process \(pid) exited with return code \(returnCode ?? 255)") }
        call { try self.subprocessProtocol?.processExited() }
        finishIfDone()
    }

    private func call(_ callback: @escaping () throws -> Void) {
        if pendingCalls != nil {
            pendingCalls?.append(callback)
        } else if isLoopClosing {
            if isMade { guarded(callback) }
        } else {
            native.callSoon(callback)
        }
    }

    private func guarded(_ callback: () throws -> Void) {
        do { try callback() } catch { native.reportCallback("", error) }
    }

    // MARK: Signals

    func sendSignal(_ signal: Int32) throws(TransportError) {
        guard phase != .over else { throw .system(Errno.noProcess, "kill") }
        guard !isReaped else { return }
        let code = anyloop_process_signal(pid, signal)
        if code < 0 { throw .system(-code, "kill") }
    }

    func terminate() throws(TransportError) { try sendSignal(15) }

    func kill() throws(TransportError) { try sendSignal(9) }

    // MARK: Ending

    func close() {
        guard !isClosing else { return }
        isClosing = true
        for pipe in pipes { pipe?.transport?.close() }
        guard !isReaped else { return }
        if native.isDebug { native.log(.warning, "Close running child process: kill pid=\(pid)") }
        _ = anyloop_process_signal(pid, 9)
    }

    private func finishIfDone() {
        guard phase == .open, returnCode != nil || isLoopClosing, ends.allSatisfy({ $0 < 0 }),
            pipes.allSatisfy({ $0?.isDisconnected ?? true })
        else { return }
        phase = .ending
        call { self.connectionLost() }
    }

    private func connectionLost() {
        guard phase != .over else { return }
        phase = .over
        native.pendingWork[number] = nil
        if isMade { guarded { try subprocessProtocol?.connectionLost(isLoopClosing ? .loopClosed : nil) } }
        subprocessProtocol = nil
    }

    /// Called before the pipes hear of it; the last of them finishes this.
    func loopCloses() {
        guard !isLoopClosing else { return }
        isLoopClosing = true
        if !isReaped {
            isReaped = true
            AbandonedChild.end(pid)
        }
        closeEnds()
        complete(.failure(.loopClosed))
        pendingCalls = nil
        // What is not made hears nothing, and its pipes need not hold this.
        if !isMade { pipes = [nil, nil, nil] }
        if phase == .ending || !isMade { connectionLost() } else { finishIfDone() }
    }
}

extension NativeLoop: ProcessLoop {
    /// Starts `program`, which is looked for in `PATH` unless it has a slash.
    @discardableResult
    public func subprocessExec(
        _ program: String, _ arguments: [String], options: SubprocessOptions,
        protocolFactory: () throws -> any SubprocessProtocol,
        completion: @escaping (Result<Void, TransportError>) -> Void
    ) throws(TransportError) -> any SubprocessTransport {
        guard !isClosed else { throw .loopClosed }
        let plan = try ChildPlan(program: program, arguments: arguments, options: options)
        let made: any SubprocessProtocol
        do { made = try protocolFactory() } catch { throw .callback(name: "protocolFactory", error: error) }
        var streams = ChildStreams()
        try streams.open(options)
        let pid = try plan.start(streams.theirs)
        let process = NativeSubprocess(
            loop: self, pid: pid, ends: streams.takeOurs(), protocol: made, completion: completion)
        do throws(TransportError) { try watchChild(pid) { process.ended() } } catch {
            process.discard()
            throw error
        }
        process.connect()
        return process
    }

    /// Starts `/bin/sh -c command`.
    @discardableResult
    public func subprocessShell(
        _ command: String, options: SubprocessOptions, protocolFactory: () throws -> any SubprocessProtocol,
        completion: @escaping (Result<Void, TransportError>) -> Void
    ) throws(TransportError) -> any SubprocessTransport {
        try subprocessExec(
            "/bin/sh", ["-c", command], options: options, protocolFactory: protocolFactory, completion: completion)
    }
}

extension NativeLoopFacade {
    /// Starts `program`, which is looked for in `PATH` unless it has a slash.
    @discardableResult
    public func subprocessExec(
        _ program: String, _ arguments: [String], options: SubprocessOptions,
        protocolFactory: () throws -> any SubprocessProtocol,
        completion: @escaping (Result<Void, TransportError>) -> Void
    ) throws(TransportError) -> any SubprocessTransport {
        try native.subprocessExec(
            program, arguments, options: options, protocolFactory: protocolFactory, completion: completion)
    }

    /// Starts `/bin/sh -c command`.
    @discardableResult
    public func subprocessShell(
        _ command: String, options: SubprocessOptions, protocolFactory: () throws -> any SubprocessProtocol,
        completion: @escaping (Result<Void, TransportError>) -> Void
    ) throws(TransportError) -> any SubprocessTransport {
        try native.subprocessShell(
            command, options: options, protocolFactory: protocolFactory, completion: completion)
    }
}
