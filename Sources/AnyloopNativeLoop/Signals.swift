import AnyloopCore
import CAnyloopSystem

extension NativeLoop: SignalLoop {
    /// Runs `callback` on the loop whenever the process gets `signal` (asyncio rule 37).
    ///
    /// A second handler for a signal replaces the first, whichever loop it was on. Signals of a kind that come in a
    /// row may be told once.
    ///
    /// - Throws: `TransportError.usage` for a number that is no signal or cannot be caught, `.loopClosed`.
    public func addSignalHandler(_ signal: Int32, _ callback: @escaping () throws -> Void) throws(TransportError) {
        guard !isClosed else { throw .loopClosed }
        try checkSignal(signal)
        let code = anyloop_signal_watch(signal, nativeRemote.wakeDescriptor)
        guard code == 0 else { throw .usage("sig \(signal) cannot be caught") }
        signalHandlers[signal]?.cancel()
        signalHandlers[signal] = Handle(callback)
    }

    /// Gives `signal` its former effect back; whether there was a handler (asyncio rule 38).
    ///
    /// - Throws: `TransportError.usage` for a number that is no signal.
    @discardableResult
    public func removeSignalHandler(_ signal: Int32) throws(TransportError) -> Bool {
        try checkSignal(signal)
        return dropSignalHandler(signal)
    }

    private func checkSignal(_ signal: Int32) throws(TransportError) {
        guard (1...64).contains(signal) else { throw .usage(.argument("invalid signal number \(signal)")) }
    }

    /// Whether a signal has a handler here.
    package var hasSignalHandlers: Bool { !signalHandlers.isEmpty }

    func dropSignalHandler(_ signal: Int32) -> Bool {
        guard let handle = signalHandlers.removeValue(forKey: signal) else { return false }
        handle.cancel()
        _ = anyloop_signal_unwatch(signal)
        return true
    }

    /// Queues the handlers of the signals that came.
    func takeSignals() {
        guard !signalHandlers.isEmpty else { return }
        for (signal, handle) in signalHandlers.sorted(by: { $0.key < $1.key })
        where anyloop_signal_take(signal) != 0 {
            callSoon { [unowned self] in runKeeping(handle) }
        }
    }
}
