import AnyloopCore

extension TaskLoop {
    /// Runs `body` on a thread of the loop's pool (asyncio: `run_in_executor(None, …)`, rule 30).
    ///
    /// The result comes back by `callSoonThreadsafe`. Cancelling the task stops the waiting, not `body`.
    ///
    /// - Throws: what `body` throws; `TransportError.usage` after `shutdownDefaultExecutor`; `.cancelled`.
    public nonisolated(nonsending) func runInExecutor<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let result: Result<Value, any Error> = try await wait {
            (done: @escaping (Result<Result<Value, any Error>, TransportError>) -> Void) throws(TransportError) in
            let bound = LoopBound(done, to: remote)
            let remote = remote
            try runOnThread {
                let result = Result { try body() }
                remote.callSoonThreadsafe { bound.value(.success(result)) }
            }
            return nil
        }
        return try result.get()
    }

    /// Waits for what runs in the pool and refuses more (asyncio: `shutdown_default_executor`).
    ///
    /// - Throws: `TransportError.cancelled` with the task.
    public nonisolated(nonsending) func shutdownDefaultExecutor() async throws(TransportError) {
        try await wait { (done: @escaping (Result<Void, TransportError>) -> Void) in
            let bound = LoopBound(done, to: remote)
            let remote = remote
            shutDownThreads { remote.callSoonThreadsafe { bound.value(.success(())) } }
            return nil
        }
    }
}
