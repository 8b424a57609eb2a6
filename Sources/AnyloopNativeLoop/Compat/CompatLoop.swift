import AnyloopCore

/// asyncio's event loop over the native one: the same pollers and transports, in CPython's order of callbacks.
///
/// `AnyloopAsync` runs async code on the loop's thread, by `runUntilComplete`.
/// Everything that asyncio does by `call_soon` takes a turn here as well (rules 2, 3, 48, 49, 53, 63, 94).
/// Confined to its thread like every `Loop`.
public final class CompatLoop: NativeLoopFacade {
    /// The loop below, whose order of callbacks is asyncio's.
    public let native: NativeLoop

    /// A loop to be run on whatever thread calls `runForever` or `runUntilComplete`.
    ///
    /// - Throws: `TransportError.system` if the poller or the wake-up descriptor cannot be made.
    public init(options: NativeLoopOptions = NativeLoopOptions()) throws(TransportError) {
        native = try NativeLoop(options: options, discipline: .asyncio)
        native.facade = self
    }

    /// The loop that runs on this thread right now (asyncio: `get_running_loop`, rule 13); nil outside of one.
    public static var running: CompatLoop? { NativeLoop.running?.facade as? CompatLoop }

    /// The time on the same clock in seconds (asyncio: `time()`, rule 22).
    public func time() -> Double { Double(now.nanoseconds) / 1e9 }

    /// Queues `callback` from any thread that holds `remote`; here as the loop's own shorthand (rule 18).
    @discardableResult
    public func callSoonThreadsafe(_ callback: @escaping @Sendable () throws -> Void) -> Bool {
        native.remote.callSoonThreadsafe(callback)
    }

    /// Sets the handler, or restores the default with nil (asyncio: `set_exception_handler`).
    public func setExceptionHandler(_ handler: ((LoopException) throws -> Void)?) { exceptionHandler = handler }

    /// What happens without a handler: one line on standard error (asyncio: `default_exception_handler`).
    public func defaultExceptionHandler(_ exception: LoopException) { native.logException(exception) }

    /// Runs until `stop` (asyncio: `run_forever`, rules 7, 8, 11).
    public func runForever() throws(TransportError) { try native.run() }

    /// Closes the loop: what is open ends with `TransportError.loopClosed`. Idempotent (rule 12).
    ///
    /// - Throws: `TransportError.usage` while the loop runs.
    public func close() throws(TransportError) {
        guard !isRunning else { throw .usage("Cannot close a running event loop") }
        closeLoop()
    }
}
