import AnyloopCore
import Synchronization

/// Runs actors on a loop's thread, in the order in which they become ready; `NativeTaskExecutor` is for tasks.
///
/// From the loop's own thread a job goes straight to the ready queue; from others through the loop's one wake-up
/// descriptor. After `closeLoop` jobs run one at a time on whichever thread makes them ready, so that tasks that
/// still wait for something can end.
@safe
public final class NativeExecutor: SerialExecutor {
    private struct Afterlife {
        var jobs: [(job: UnownedJob, isTask: Bool)] = []
        var isRunning = false
    }

    private let remote: NativeRemote
    /// Touched on the loop's thread only, which `remote.isOnLoopThread` tells; nil once the loop is closed or gone.
    private nonisolated(unsafe) weak var loop: NativeLoop?
    /// Whether the next job runs where it is queued. Touched on the loop's thread only, as `loop` is.
    private nonisolated(unsafe) var isResuming = false
    private let afterlife = Mutex(Afterlife())

    init(remote: NativeRemote) {
        self.remote = remote
    }

    func bind(to loop: NativeLoop) {
        unsafe self.loop = loop
    }

    func unbind() {
        unsafe loop = nil
    }

    /// Queues `job`; see the type for where it runs.
    public func enqueue(_ job: consuming ExecutorJob) {
        enqueue(UnownedJob(job), isTask: false)
    }

    fileprivate func enqueue(_ job: UnownedJob, isTask: Bool) {
        if remote.isOnLoopThread, let loop = unsafe loop {
            guard unsafe !isResuming else {
                unsafe isResuming = false
                return isTask ? loop.taskExecutor.run(job) : run(job)
            }
            loop.queue(isTask ? .taskJob(job) : .job(job))
        } else if !remote.post(isTask ? .taskJob(job) : .job(job)) {
            enqueueAfterClose(job, isTask: isTask)
        }
    }

    /// This executor as an actor's.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

    /// Traps unless on the loop's thread, as `assumeIsolated` demands.
    public func checkIsolated() {
        precondition(remote.isOnLoopThread, "not on the thread of the loop that this executor belongs to")
    }

    /// Whether the caller is on the loop's thread.
    public func isIsolatingCurrentContext() -> Bool? { remote.isOnLoopThread }

    func run(_ job: UnownedJob) {
        unsafe job.runSynchronously(on: asUnownedSerialExecutor())
    }

    /// Has a suspended task go on now; only from the loop's turn.
    func resume(_ continuation: UnsafeContinuation<Void, Never>) {
        unsafe isResuming = true
        unsafe continuation.resume()
        unsafe isResuming = false
    }

    func enqueueAfterClose(_ job: UnownedJob, isTask: Bool) {
        let isMine = afterlife.withLock { state in
            state.jobs.append((job, isTask))
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard isMine else { return }
        while let next = nextAfterClose() {
            if next.isTask { NativeTaskExecutor(self).run(next.job) } else { run(next.job) }
        }
    }

    private func nextAfterClose() -> (job: UnownedJob, isTask: Bool)? {
        afterlife.withLock { state in
            guard !state.jobs.isEmpty else {
                state.isRunning = false
                return nil
            }
            return state.jobs.removeFirst()
        }
    }
}

/// Runs Swift tasks on a loop's thread: what they await there goes on without a hop between.
///
/// Apart from `NativeExecutor` because a job must be told under which of the two it runs: a task that ran as if
/// on an actor would give up its turn at every call of a function that is on none.
public final class NativeTaskExecutor: TaskExecutor {
    private let executor: NativeExecutor

    init(_ executor: NativeExecutor) {
        self.executor = executor
    }

    /// Queues `job`, as `NativeExecutor` does.
    public func enqueue(_ job: consuming ExecutorJob) {
        executor.enqueue(UnownedJob(job), isTask: true)
    }

    func run(_ job: UnownedJob) {
        unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }
}
