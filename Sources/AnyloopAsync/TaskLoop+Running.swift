import AnyloopCore

extension TaskLoop {
    /// Runs `body` as a task and the loop until it is done (asyncio: `run_until_complete`, rules 9, 10).
    ///
    /// Callbacks that were queued before `body` ended still run, what they queue waits for the next run.
    ///
    /// - Throws: what `body` throws; `TransportError.usage` if `stop` came first, or the loop runs already;
    ///   `.loopClosed` on a closed loop.
    public func runUntilComplete<Value>(_ body: @escaping () async throws -> Value) throws -> Value {
        try checkMayRun()
        return try complete(createTask(body), isOwn: true)
    }

    /// Runs the loop until `future` is done (asyncio: `run_until_complete`).
    ///
    /// - Throws: the future's error; `TransportError.usage` if `stop` came first, the loop runs already, or the
    ///   future is another loop's; `.loopClosed` on a closed loop.
    public func runUntilComplete<Value>(_ future: Future<Value>) throws -> Value {
        try checkMayRun()
        guard future.loop === self else {
            throw TransportError.usage(
                .argument("The future belongs to a different loop than the one specified as the loop argument"))
        }
        return try complete(future, isOwn: false)
    }

    private func checkMayRun() throws(TransportError) {
        if isClosed { throw .loopClosed }
        if isRunning { throw .usage("This event loop is already running") }
    }

    private func complete<Value>(_ future: Future<Value>, isOwn: Bool) throws -> Value {
        let stopping = future.addDoneCallback { $0.loop.stop() }
        do {
            try run()
        } catch {
            // Another loop runs on this thread: the body must not start later behind the caller's back.
            future.removeDoneCallback(stopping)
            if isOwn { future.cancel() }
            throw error
        }
        future.removeDoneCallback(stopping)
        guard future.isDone else { throw TransportError.usage("Event loop stopped before Future completed.") }
        return try future.result()
    }

    /// Lets `duration` pass while the loop runs (asyncio: `sleep`); zero or less is one turn.
    ///
    /// - Throws: `TransportError.cancelled` with the task.
    public nonisolated(nonsending) func sleep(for duration: Duration) async throws(TransportError) {
        try await wait { (done: @escaping (Result<Void, TransportError>) -> Void) in
            guard duration > .zero else {
                done(.success(()))
                return nil
            }
            let timer = callLater(duration) { done(.success(())) }
            return CancelAction { timer.cancel() }
        }
    }
}
