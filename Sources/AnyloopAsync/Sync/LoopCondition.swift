import AnyloopCore

/// Tasks that wait for what another tells them, under a lock (asyncio: `Condition`). Confined to its loop's thread.
public final class LoopCondition {
    private let loop: any TaskLoop
    private var waiters = WaitLine()

    /// The lock that goes with it; to be taken around `wait` and `notify`.
    public let lock: LoopLock

    /// A condition with `lock`, or with one of its own.
    public init(loop: any TaskLoop, lock: LoopLock? = nil) {
        self.loop = loop
        self.lock = lock ?? LoopLock(loop: loop)
    }

    /// Lets go of the lock, waits for `notify`, and takes the lock again, even if cancelled (asyncio: `wait`).
    ///
    /// - Throws: `TransportError.usage` without the lock; `.cancelled` with the task, `.loopClosed`.
    public nonisolated(nonsending) func wait() async throws {
        guard lock.isLocked else { throw TransportError.usage("cannot wait on un-acquired lock") }
        try lock.release()
        var failure: (any Error)?
        do {
            let waiter = waiters.join(loop)
            defer { waiters.leave(waiter) }
            try await waiter.value
        } catch { failure = error }
        while true {
            do {
                try await lock.acquire()
                break
            } catch {
                failure = error
                // Only a cancellation is worth another try.
                guard isCancellation(error), loop.currentTask != nil else { break }
            }
        }
        if let failure { throw failure }
    }

    /// Waits until `predicate` holds, which is looked at first and after each `notify` (asyncio: `wait_for`).
    ///
    /// - Throws: as `wait`.
    public nonisolated(nonsending) func wait(until predicate: () throws -> Bool) async throws {
        while try !predicate() { try await wait() }
    }

    /// Lets up to `count` of those that wait go on, once they get the lock (asyncio: `notify`).
    ///
    /// - Throws: `TransportError.usage` without the lock.
    public func notify(_ count: Int = 1) throws(TransportError) {
        guard lock.isLocked else { throw .usage("cannot notify on un-acquired lock") }
        waiters.releaseNext(count)
    }

    /// Lets all of them go on (asyncio: `notify_all`).
    ///
    /// - Throws: `TransportError.usage` without the lock.
    public func notifyAll() throws(TransportError) { try notify(.max) }
}
