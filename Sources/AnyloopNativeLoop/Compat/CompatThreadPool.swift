import AnyloopCore
import CAnyloopSystem
import Synchronization

/// The threads behind `CompatLoop.runInExecutor`.
///
/// A thread starts when work finds fewer than `threadLimit` at work, and ends when nothing waits any more.
final class CompatThreadPool: Sendable {
    /// Threads at work at once; more work waits in line.
    static let threadLimit = 8

    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var threads = 0
        var isShutDown = false
        var whenIdle: [@Sendable () -> Void] = []
    }

    /// What a thread gets through its pointer.
    private final class Start {
        let pool: CompatThreadPool

        init(_ pool: CompatThreadPool) {
            self.pool = pool
        }
    }

    private let state = Mutex(State())

    /// Runs `work` on a thread of the pool.
    ///
    /// - Throws: `TransportError.usage` after `shutDown`, `.system` if not even one thread can be had.
    func run(_ work: @escaping @Sendable () -> Void) throws(TransportError) {
        enum Answer { case refused, queued, startsThread }
        let answer = state.withLock { state -> Answer in
            guard !state.isShutDown else { return .refused }
            state.waiting.append(work)
            guard state.threads < Self.threadLimit else { return .queued }
            state.threads += 1
            return .startsThread
        }
        switch answer {
        case .refused: throw .usage("Executor shutdown has been called")
        case .queued: return
        case .startsThread: break
        }
        let start = unsafe Unmanaged.passRetained(Start(self))
        let code = unsafe anyloop_thread_start(
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue().pool.work()
            }, start.toOpaque(), nil)
        guard code != 0 else { return }
        unsafe start.release()
        let isStranded = state.withLock { state in
            state.threads -= 1
            guard state.threads == 0 else { return false }
            state.waiting.removeLast()
            return true
        }
        if isStranded { throw .system(abs(code), "pthread_create") }
    }

    /// Refuses work from now on; what was accepted still runs.
    func shutDown() {
        state.withLock { $0.isShutDown = true }
    }

    /// Calls `callback` on some thread once nothing runs any more.
    func whenIdle(_ callback: @escaping @Sendable () -> Void) {
        let isIdle = state.withLock { state in
            if state.threads > 0 { state.whenIdle.append(callback) }
            return state.threads == 0
        }
        if isIdle { callback() }
    }

    private func work() {
        while let next = next() { next() }
    }

    private func next() -> (@Sendable () -> Void)? {
        let (work, idle) = state.withLock { state -> ((@Sendable () -> Void)?, [@Sendable () -> Void]) in
            if !state.waiting.isEmpty { return (state.waiting.removeFirst(), []) }
            state.threads -= 1
            guard state.threads == 0 else { return (nil, []) }
            defer { state.whenIdle = [] }
            return (nil, state.whenIdle)
        }
        for callback in idle { callback() }
        return work
    }
}

extension CompatLoop {
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
            try threadPool.run {
                let result = Result { try body() }
                remote.callSoonThreadsafe { bound.value(.success(result)) }
            }
            return CompatCancellable { done(.failure(.cancelled)) }
        }
        return try result.get()
    }

    /// Waits for what runs in the pool and refuses more (asyncio: `shutdown_default_executor`).
    ///
    /// - Throws: `TransportError.cancelled` with the task.
    public nonisolated(nonsending) func shutdownDefaultExecutor() async throws(TransportError) {
        threadPool.shutDown()
        try await wait { (done: @escaping (Result<Void, TransportError>) -> Void) in
            let bound = LoopBound(done, to: remote)
            let remote = remote
            threadPool.whenIdle { remote.callSoonThreadsafe { bound.value(.success(())) } }
            return CompatCancellable { done(.failure(.cancelled)) }
        }
    }
}
