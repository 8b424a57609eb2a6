import AnyloopCore

extension TaskLoop {
    /// Runs `body` on the loop's thread and the loop until it is done (asyncio: `run_until_complete`, rules 9, 10).
    ///
    /// Callbacks that were queued before `body` ended still run, what they queue waits for the next run.
    ///
    /// - Throws: what `body` throws; `TransportError.usage` if `stop` came first, or the loop runs already;
    ///   `.loopClosed` on a closed loop.
    public func runUntilComplete<Value>(_ body: @escaping () async throws -> Value) throws -> Value {
        if isClosed { throw TransportError.loopClosed }
        if isRunning { throw TransportError.usage("This event loop is already running") }
        let work = CompleteWork(loop: self, body)
        let bound = LoopBound(work, to: remote)
        Task(executorPreference: loopTaskExecutor) { await bound.value.run() }
        try run()
        guard let result = work.result else {
            throw TransportError.usage("Event loop stopped before Future completed.")
        }
        return try result.get()
    }

    /// Lets `duration` pass while the loop runs (asyncio: `sleep`); zero or less is one turn.
    ///
    /// - Throws: `TransportError.cancelled` if the task is cancelled.
    public nonisolated(nonsending) func sleep(for duration: Duration) async throws(TransportError) {
        try await wait { (done: @escaping (Result<Void, TransportError>) -> Void) in
            let timer = callLater(duration) { done(.success(())) }
            return CancelAction { timer.cancel() }
        }
    }
}

/// The body of a `runUntilComplete` and what came of it.
private final class CompleteWork<Value> {
    private let loop: any TaskLoop
    private let body: () async throws -> Value
    private(set) var result: Result<Value, any Error>?

    init(loop: any TaskLoop, _ body: @escaping () async throws -> Value) {
        self.loop = loop
        self.body = body
    }

    nonisolated(nonsending) func run() async {
        do { result = .success(try await body()) } catch { result = .failure(error) }
        // As a done callback: by the ready queue (rule 9).
        loop.callSoon { [loop] in loop.stop() }
    }
}
