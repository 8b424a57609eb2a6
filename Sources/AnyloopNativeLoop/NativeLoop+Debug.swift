import AnyloopCore
import CAnyloopSystem

extension NativeLoop: DebugLoop {
    // MARK: Errors

    /// Gives `exception` to the handler, or logs it; a handler that throws is logged itself (asyncio rule 16).
    public func callExceptionHandler(_ exception: LoopException) {
        guard let exceptionHandler else { return logException(exception) }
        do { try exceptionHandler(exception) } catch {
            logException(LoopException(message: "Unhandled error in exception handler", error: error))
        }
    }

    /// What happens without a handler: an error in the log, its first line the message (asyncio:
    /// `default_exception_handler`).
    func logException(_ exception: LoopException) {
        var lines = [exception.message]
        if let error = exception.error { lines.append("exception: \(error)") }
        if let handle = exception.handle { lines.append("handle: \(Self.name(of: handle))") }
        if let thing = exception.protocolObject { lines.append("protocol: \(type(of: thing))") }
        if let socket = exception.socket { lines.append("socket: \(socket)") }
        if let transport = exception.transport { lines.append("transport: \(type(of: transport))") }
        log(.error, lines.joined(separator: "\n"))
    }

    package func report(
        _ message: String, _ error: (any Error)?, _ transport: (any Transport)? = nil,
        _ protocolObject: AnyObject? = nil
    ) {
        callExceptionHandler(
            LoopException(message: message, error: error, transport: transport, protocolObject: protocolObject))
    }

    /// Tells the handler what asyncio would raise from a call that cannot throw here; the call returns then.
    package func misuse(_ error: UsageError, _ transport: any Transport, _ protocolObject: AnyObject?) {
        report(error.text, TransportError.usage(error), transport, protocolObject)
    }

    /// Reports what a callback threw that a handle ran, or that runs as one in asyncio (rules 14, 64, 98).
    package func reportCallback(_ name: String, _ error: any Error, _ handle: Handle = Handle {}) {
        let message = name.isEmpty ? "Exception in callback" : "Exception in callback \(name)"
        callExceptionHandler(LoopException(message: message, error: error, handle: handle))
    }

    // MARK: The log

    /// Tells the log handler; without one, warnings and errors are a line each on standard error.
    public func log(_ record: LoopLogRecord) { log(record.level, record.message) }

    /// Tells the log handler; without one, warnings and errors are a line each on standard error.
    package func log(_ level: LoopLogRecord.Level, _ message: String) {
        if let logHandler { return logHandler(LoopLogRecord(level: level, message: message)) }
        guard level >= .warning else { return }
        let text = message.split(separator: "\n").joined(separator: "; ")
        let line = Array("anyloop: \(level.rawValue): \(text)\n".utf8)
        unsafe line.withUnsafeBytes { unsafe anyloop_write_error($0.baseAddress, $0.count) }
    }

    /// Bytes were dropped because the connection is gone, for the `count`th time (asyncio rule 83).
    package func logDroppedWrite() { log(.warning, "socket.send() raised exception.") }

    // MARK: Debug mode

    /// Whether `handle` must not be queued: the loop is closed, or in debug mode this is another thread than the one
    /// that runs it (asyncio rules 12, 19). It is cancelled then.
    @inline(never)
    func refuses(_ handle: Handle) -> Bool {
        if isClosed {
            handle.cancel()
            return true
        }
        guard isRunning, !nativeRemote.isOnLoopThread else { return false }
        handle.cancel()
        // Told there, because the handler is the loop's.
        let bound = LoopBound(self, to: nativeRemote)
        nativeRemote.callSoonThreadsafe {
            let text = "Non-thread-safe operation invoked on an event loop other than the current one"
            bound.value.callExceptionHandler(LoopException(message: text, error: TransportError.usage(.state(text))))
        }
        return true
    }

    /// Runs the oldest item of the ready queue and looks at the time it takes.
    @inline(never)
    func runNextTimed() {
        let name =
            switch readyQueue.first {
            case .handle(let handle): Self.name(of: handle)
            case .ending: "<Handle connection_lost()>"
            case .job: "<Job of an actor>"
            case .taskJob, .resumption: "<Task>"
            case nil: ""
            }
        runTimed(name) { runNext() }
    }

    /// Runs `body` and logs it if it was slow (asyncio rule 20).
    @inline(never)
    func runTimed(_ name: String = "<Handle>", _ body: () -> Void) {
        let start = now
        body()
        let took = now - start
        guard took >= slowCallbackDuration, isDebug else { return }
        let milliseconds = (took.saturatingNanoseconds + 500_000) / 1_000_000
        let fraction = String(milliseconds % 1000)
        let zeros = String(repeating: "0", count: 3 - fraction.count)
        log(.warning, "Executing \(name) took \(milliseconds / 1000).\(zeros)\(fraction) seconds")
    }

    private static func name(of handle: Handle) -> String {
        guard let timer = handle as? TimerHandle else { return "<Handle>" }
        return "<TimerHandle when=\(Double(timer.when.nanoseconds) / 1e9)>"
    }
}
