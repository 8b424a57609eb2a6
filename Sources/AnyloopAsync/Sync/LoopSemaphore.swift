import AnyloopCore

/// Lets so many tasks in at a time, in the order in which they come (asyncio: `Semaphore`, `BoundedSemaphore`).
///
/// Confined to its loop's thread.
public final class LoopSemaphore {
    private let loop: any TaskLoop
    private let bound: Int?
    private var waiters = WaitLine()
    private var value: Int

    /// A semaphore for `value` tasks; a bounded one refuses more releases than there were acquires.
    ///
    /// - Throws: `TransportError.usage` for a value less than zero.
    public init(loop: any TaskLoop, value: Int = 1, isBounded: Bool = false) throws(TransportError) {
        guard value >= 0 else { throw .usage(.argument("Semaphore initial value must be >= 0")) }
        self.loop = loop
        self.value = value
        bound = isBounded ? value : nil
    }

    /// Whether the next to come would wait (asyncio: `locked`).
    public var isLocked: Bool { value == 0 || waiters.waiters.contains { !$0.isCancelled } }

    /// Waits until there is room; takes no turn if there is (asyncio: `acquire`).
    ///
    /// - Throws: `TransportError.cancelled` with the task, `.loopClosed`.
    public nonisolated(nonsending) func acquire() async throws {
        guard isLocked else {
            value -= 1
            return
        }
        let waiter = waiters.join(loop)
        do {
            defer { waiters.leave(waiter) }
            try await waiter.value
        } catch {
            // The room that it was given is the next one's.
            if !waiter.isCancelled, waiter.isDone { giveBack() }
            throw error
        }
        if value > 0 { releaseNext() }
    }

    /// Makes room for one more (asyncio: `release`).
    ///
    /// - Throws: `TransportError.usage` if that were more than a bounded semaphore began with.
    public func release() throws(TransportError) {
        if let bound, value >= bound { throw .usage(.argument("BoundedSemaphore released too many times")) }
        giveBack()
    }

    private func giveBack() {
        value += 1
        releaseNext()
    }

    private func releaseNext() { value -= waiters.releaseNext() }

    /// Runs `body` within the semaphore (asyncio: `async with semaphore`).
    ///
    /// - Throws: what `body` throws; as `acquire`.
    public nonisolated(nonsending) func withSemaphore<Value>(
        _ body: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        try await acquire()
        // A body that released it itself has its way.
        defer { try? release() }
        return try await body()
    }
}
