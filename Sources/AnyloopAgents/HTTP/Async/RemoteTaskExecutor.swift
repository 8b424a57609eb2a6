import AnyloopCore

/// Runs Swift tasks on any loop's thread, by posting each of their jobs through its `LoopRemote`.
final class RemoteTaskExecutor: TaskExecutor {
    private let remote: any LoopRemote

    init(_ remote: any LoopRemote) {
        self.remote = remote
    }

    /// What tasks on `loop` prefer: the loop's own executor where it has one.
    static func executor(of loop: any Loop) -> any TaskExecutor {
        (loop as? any TaskLoop)?.loopTaskExecutor ?? RemoteTaskExecutor(loop.remote)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // On a closed loop the job runs here, so that its task can end: it finds everything closed.
        if !remote.callSoonThreadsafe({ self.run(job) }) { run(job) }
    }

    private func run(_ job: UnownedJob) {
        unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }
}

extension LoopRemote {
    /// Runs `body` on the loop's thread: now if the caller is there, else soon. False if the loop is closed.
    @discardableResult
    func perform(_ body: @escaping @Sendable () -> Void) -> Bool {
        guard isOnLoopThread else { return callSoonThreadsafe(body) }
        body()
        return true
    }
}
