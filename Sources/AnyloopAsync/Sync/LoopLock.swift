import AnyloopCore

/// Lets one task at a time in, in the order in which they come (asyncio: `Lock`). Confined to its loop's thread.
public final class LoopLock {
    private let loop: any TaskLoop
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
