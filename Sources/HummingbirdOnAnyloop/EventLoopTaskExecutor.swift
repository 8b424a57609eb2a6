import NIOCore

/// Runs tasks on an event loop's thread, as their preferred executor (SE-0417).
final class EventLoopTaskExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// One executor for each loop of a group.
struct EventLoopTaskExecutors: Sendable {
    private let byLoop: [ObjectIdentifier: EventLoopTaskExecutor]

    /// None, so that tasks run on the pool.
    init() {
        byLoop = [:]
    }

    /// One for each loop of `group`.
    init(of group: any EventLoopGroup) {
        byLoop = Dictionary(
            group.makeIterator().map { (ObjectIdentifier($0), EventLoopTaskExecutor($0)) }, uniquingKeysWith: { $1 })
    }

    /// The executor of `loop`; nil: the pool.
    subscript(loop: any EventLoop) -> EventLoopTaskExecutor? { byLoop[ObjectIdentifier(loop)] }
}
