import AnyloopCore

extension CompatLoop {
    /// Runs `body` on the loop's thread and the loop until it is done (asyncio: `run_until_complete`, rules 9, 10).
    ///
    /// Callbacks that were queued before `body` ended still run, what they queue waits for the next run.
    ///
    /// - Throws: what `body` throws; `TransportError.usage` if `stop` came first, or the loop runs already;
    ///   `.loopClosed` on a closed loop.
    public func runUntilComplete<Value>(_ body: @escaping () async throws -> Value) throws -> Value {
        if isClosed { throw TransportError.loopClosed }
        if isRunning { throw TransportError.usage("This event loop is already running") }
        let work = CompatWork(loop: self, body)
        let bound = LoopBound(work, to: remote)
        Task(executorPreference: taskExecutor) { await bound.value.run() }
        try native.run()
        guard let result = work.result else {
            throw TransportError.usage("Event loop stopped before Future completed.")
        }
        return try result.get()
    }

    /// Lets `duration` pass while the loop runs (asyncio: `sleep`).
    ///
    /// - Throws: `TransportError.cancelled` if the task is cancelled.
    public nonisolated(nonsending) func sleep(for duration: Duration) async throws(TransportError) {
        try await wait { (done: @escaping (Result<Void, TransportError>) -> Void) in
            let timer = callLater(duration) { done(.success(())) }
            return CompatCancellable { [weak self] in
                timer.cancel()
                self?.callSoon { done(.failure(.cancelled)) }
            }
        }
    }

    /// Waits for what `start` begins; a cancelled task cancels it.
    ///
    /// The task goes on in the turn after the completion's, behind what was queued until then (rule 28).
    nonisolated(nonsending) func wait<Value>(
        _ start: (@escaping (Result<Value, TransportError>) -> Void) throws(TransportError) -> (any Cancellable)?
    ) async throws(TransportError) -> Value {
        try checkThread()
        let waiter = CompatWaiter<Value>()
        waiter.work = try start { waiter.finish($0) }
        let number = native.register(waiter)
        defer { native.pendingWork[number] = nil }
        let bound = LoopBound(waiter, to: remote)
        let remote = remote
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter.suspend($0) }
        } onCancel: {
            remote.callSoonThreadsafe { bound.value.cancel() }
        }
        guard let result = waiter.result else { throw .cancelled }
        return try result.get()
    }

    func checkThread() throws(TransportError) {
        if isClosed { throw .loopClosed }
        guard remote.isOnLoopThread else {
            let text = "Non-thread-safe operation invoked on an event loop other than the current one"
            throw .usage("\(text): await it inside runUntilComplete")
        }
    }
}

/// The body of a `runUntilComplete` and what came of it.
private final class CompatWork<Value> {
    private let loop: CompatLoop
    private let body: () async throws -> Value
    private(set) var result: Result<Value, any Error>?

    init(loop: CompatLoop, _ body: @escaping () async throws -> Value) {
        self.loop = loop
        self.body = body
    }

    nonisolated(nonsending) func run() async {
        do { result = .success(try await body()) } catch { result = .failure(error) }
        // As a done callback: by the ready queue (rule 9).
        loop.callSoon { [loop] in loop.stop() }
    }
}

/// A task that waits for a completion on the loop.
final class CompatWaiter<Value>: PendingWork {
    private(set) var result: Result<Value, TransportError>?
    private var continuation: CheckedContinuation<Void, Never>?
    /// What is cancelled with the task.
    var work: (any Cancellable)?

    func finish(_ result: Result<Value, TransportError>) {
        guard self.result == nil else { return }
        self.result = result
        work = nil
        continuation?.resume()
        continuation = nil
    }

    func suspend(_ continuation: CheckedContinuation<Void, Never>) {
        if result == nil { self.continuation = continuation } else { continuation.resume() }
    }

    func cancel() {
        work?.cancel()
        work = nil
    }

    func loopCloses() { finish(.failure(.loopClosed)) }
}

/// A closure that calls work off.
final class CompatCancellable: Cancellable {
    private var action: (() -> Void)?

    init(_ action: @escaping () -> Void) {
        self.action = action
    }

    func cancel() {
        action?()
        action = nil
    }
}
