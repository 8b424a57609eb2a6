/// Reacts to what happens to a child process and its pipes (asyncio: `SubprocessProtocol`, rule 117).
///
///     made (data(1, 2) | pipeLost(0, 1, 2) | exited | pause | resume)* lost
///
/// All callbacks run on the loop's thread, each from the ready queue but for `pauseWriting` and `resumeWriting`.
/// `processExited` and the pipes' callbacks come in any mutual order; `connectionLost` is the last, once the process
/// has ended and all its pipes are closed. What a callback throws is reported to the loop's exception handler.
public protocol SubprocessProtocol: AnyObject {
    /// The first callback, once: the process runs and its pipes stand.
    func connectionMade(_ transport: any SubprocessTransport) throws

    /// Bytes that the process wrote to its `descriptor` 1 or 2, at least one, lent for the length of the call.
    func pipeDataReceived(_ descriptor: Int32, _ data: Span<UInt8>) throws

    /// The pipe to the process's `descriptor` 0, 1 or 2 is closed: by the process, by `close`, or by an error.
    func pipeConnectionLost(_ descriptor: Int32, _ error: TransportError?) throws

    /// The process ended; `SubprocessTransport.returnCode` says how.
    func processExited() throws

    /// The last callback, once.
    func connectionLost(_ error: TransportError?) throws

    /// What waits for the process's standard input went above the high watermark.
    func pauseWriting() throws

    /// It drained to the low watermark or below.
    func resumeWriting() throws
}

extension SubprocessProtocol {
    /// Does nothing.
    public func connectionMade(_ transport: any SubprocessTransport) {}
    /// Does nothing.
    public func pipeDataReceived(_ descriptor: Int32, _ data: Span<UInt8>) {}
    /// Does nothing.
    public func pipeConnectionLost(_ descriptor: Int32, _ error: TransportError?) {}
    /// Does nothing.
    public func processExited() {}
    /// Does nothing.
    public func connectionLost(_ error: TransportError?) {}
    /// Does nothing.
    public func pauseWriting() {}
    /// Does nothing.
    public func resumeWriting() {}
}

/// A child process (asyncio: `SubprocessTransport`). Confined to its loop's thread.
public protocol SubprocessTransport: AnyObject {
    /// The loop that drives it.
    var loop: any Loop { get }

    /// The protocol that gets the callbacks; nil after `connectionLost`.
    var subprocessProtocol: (any SubprocessProtocol)? { get set }

    /// The number of the process; kept after its end.
    var pid: Int32 { get }

    /// How the process ended: its exit status, or the signal that ended it, negated. Nil while it runs.
    ///
    /// 255 if something else in this program reaped it.
    var returnCode: Int32? { get }

    /// The pipe to the process's `descriptor` 0, 1 or 2; nil if that is none.
    func pipeTransport(_ descriptor: Int32) -> (any PipeTransport)?

    /// Sends `signal` to the process; without effect once it ended (asyncio rule 118).
    ///
    /// - Throws: `TransportError.system` with `ESRCH` after `connectionLost` (Python: `ProcessLookupError`), with
    ///   `EINVAL` for a number that is no signal, with `EPERM`.
    func sendSignal(_ signal: Int32) throws(TransportError)

    /// Asks the process to end (`SIGTERM`); otherwise as `sendSignal`.
    func terminate() throws(TransportError)

    /// Ends the process (`SIGKILL`); otherwise as `sendSignal`.
    func kill() throws(TransportError)

    /// Whether `close` was called.
    var isClosing: Bool { get }

    /// Closes the pipes and kills the process if it still runs. Idempotent (asyncio rule 118).
    func close()
}
