import AnyloopCore

/// Lets one task at a time in, in the order in which they come (asyncio: `Lock`). Confined to its loop's thread.
public final class LoopLock {
    fileprivate let loop: any TaskLoop
    private var waiters = WaitLine()

    /// Whether a task is in (asyncio: `locked`).
    public private(set) var isLocked = false

    /// An open lock.
    public init(loop: any TaskLoop) {
        self.loop = loop
    }

    /// Waits until the lock is free and takes it; takes no turn if it is (asyncio: `acquire`).
    ///
    /// - Throws: `TransportError.cancelled` with the task, `.loopClosed`.
    public nonisolated(nonsending) func acquire() async throws {
        if !isLocked, waiters.waiters.allSatisfy(\.isCancelled) {
            isLocked = true
            return
        }
        let waiter = waiters.join(loop)
        do {
            defer { waiters.leave(waiter) }
            try await waiter.value
        } catch {
            if !isLocked { waiters.releaseHead() }
            throw error
        }
        isLocked = true
    }

    /// Lets the next task in (asyncio: `release`).
    ///
    /// - Throws: `TransportError.usage` if the lock is not taken.
    public func release() throws(TransportError) {
        guard isLocked else { throw .usage("Lock is not acquired.") }
        isLocked = false
        waiters.releaseHead()
    }

    /// Runs `body` with the lock taken (asyncio: `async with lock`).
    ///
    /// - Throws: what `body` throws; as `acquire`.
    public nonisolated(nonsending) func withLock<Value>(
        _ body: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        try await acquire()
        // A body that let go of the lock itself has its way.
        defer { try? release() }
        return try await body()
    }
}

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
