import AnyloopCore
import Synchronization

/// Runs Swift tasks and actors on a loop's thread, in the order in which they become ready.
///
/// From the loop's own thread a job goes straight to the ready queue; from others through the loop's one wake-up
/// descriptor. After `closeLoop` jobs run one at a time on whichever thread makes them ready, so that tasks that
/// still wait for something can end.
@safe
public final class NativeExecutor: SerialExecutor, TaskExecutor {
    private struct Afterlife {
        var jobs: [UnownedJob] = []
        var isRunning = false
    }

    private let remote: NativeRemote
    /// Touched on the loop's thread only, which `remote.isOnLoopThread` tells; nil once the loop is closed or gone.
    private nonisolated(unsafe) weak var loop: NativeLoop?
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
        let job = UnownedJob(job)
        if remote.isOnLoopThread, let loop = unsafe loop {
            loop.queue(.job(job))
        } else if !remote.post(.job(job)) {
            enqueueAfterClose(job)
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
        unsafe job.runSynchronously(
            isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }

    func enqueueAfterClose(_ job: UnownedJob) {
        let isMine = afterlife.withLock { state in
            state.jobs.append(job)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard isMine else { return }
        while let next = nextAfterClose() { run(next) }
    }

    private func nextAfterClose() -> UnownedJob? {
        afterlife.withLock { state in
            guard !state.jobs.isEmpty else {
                state.isRunning = false
                return nil
            }
            return state.jobs.removeFirst()
        }
    }
}
