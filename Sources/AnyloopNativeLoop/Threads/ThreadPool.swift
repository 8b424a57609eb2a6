import AnyloopCore
import CAnyloopSystem
import Synchronization

/// The threads of `TaskLoop.runOnThread`.
///
/// A thread starts when work finds fewer than `threadLimit` at work, and ends when nothing waits any more.
final class ThreadPool: Sendable {
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
        let pool: ThreadPool

        init(_ pool: ThreadPool) {
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
