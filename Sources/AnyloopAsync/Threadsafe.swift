import AnyloopCore
import Synchronization

extension LoopRemote {
    /// Runs `body` as a task of the loop, from any thread (asyncio: `run_coroutine_threadsafe`).
    ///
    /// `body` gets the loop, which it must not let go to other threads. Await the task's `value` anywhere but on the
    /// loop's own thread, where `createTask` is meant; cancelling it cancels the loop's task.
    ///
    /// The value is what `body` returns. It throws what `body` throws; `TransportError.cancelled`; `.loopClosed` if
    /// the loop is closed before the end; `.usage` on a loop that runs no tasks.
    @discardableResult
    public func runCoroutineThreadsafe<Value: Sendable>(
        _ body: @escaping @Sendable (any TaskLoop) async throws -> Value
    ) -> Task<Value, any Error> {
        let call = ThreadsafeCall<Value>(remote: self)
        // Here and not in the task, so that the order of one thread's calls is kept (rule 18).
        let ticket = Ticket(call)
        let isOpen = callSoonThreadsafe { ticket.call.start(body) }
        return Task.detached {
            guard isOpen else { throw TransportError.loopClosed }
            return try await withTaskCancellationHandler {
                try await call.value
            } onCancel: {
                call.cancel()
            }
        }
    }
}

/// A call from another thread: what came of it, for whoever waits there.
private final class ThreadsafeCall<Value: Sendable>: Sendable {
    private struct State {
        var task: LoopBound<any AnyLoopTask>?
        var isCancelled = false
        var result: Result<Value, any Error>?
        var continuation: CheckedContinuation<Value, any Error>?
    }

    private let remote: any LoopRemote
    private let state = Mutex(State())

    init(remote: any LoopRemote) {
        self.remote = remote
    }

    var value: Value {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state in
                    if state.result == nil { state.continuation = continuation }
                    return state.result
                }
                if let result { continuation.resume(with: result) }
            }
        }
    }

    /// On the loop's thread.
    func start(_ body: @escaping @Sendable (any TaskLoop) async throws -> Value) {
        guard let loop = remote.runningLoop as? any TaskLoop else {
            return finish(.failure(TransportError.usage(.notImplemented("this loop runs no tasks; use another"))))
        }
        let bound = LoopBound(loop, to: remote)
        let task = loop.createTask { [self] in
            // Here and not in a callback, because a closed loop runs none.
            do { finish(.success(try await body(bound.value))) } catch { finish(.failure(error)) }
        }
        // Cancelled before it started.
        task.whenDone { [self] in finish(.failure(TransportError.cancelled)) }
        let isCancelled = state.withLock { state in
            state.task = LoopBound(task, to: remote)
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    func cancel() {
        state.withLock { $0.isCancelled = true }
        remote.callSoonThreadsafe { [self] in
            let task = state.withLock { $0.task }
            task?.value.cancel()
        }
    }

    /// The loop drops its queue.
    func abandon() {
        if state.withLock({ $0.task == nil }) { finish(.failure(TransportError.loopClosed)) }
    }

    private func finish(_ result: Result<Value, any Error>) {
        let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
            guard state.result == nil else { return nil }
            state.result = result
            state.task = nil
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume(with: result)
    }
}

/// Notes that the loop let go of a call, whether it ran or not.
private final class Ticket<Value: Sendable>: Sendable {
    let call: ThreadsafeCall<Value>

    init(_ call: ThreadsafeCall<Value>) {
        self.call = call
    }

    deinit { call.abandon() }
}
