import AnyloopCore

/// A barrier that was aborted or reset while a task waited at it (asyncio: `BrokenBarrierError`).
public struct BrokenBarrierError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which of the two, in asyncio's words.
    public let description: String

    /// A broken barrier.
    public init(_ description: String) {
        self.description = description
    }
}

/// Holds tasks until so many have come, then lets them all go on (asyncio: `Barrier`). Confined to its loop's thread.
public final class LoopBarrier {
    private enum State {
        case filling, draining, resetting, broken
    }

    private let condition: LoopCondition
    private var state = State.filling
    private var count = 0

    /// How many it waits for (asyncio: `parties`).
    public let parties: Int

    /// A barrier for `parties` tasks.
    ///
    /// - Throws: `TransportError.usage` for less than one.
    public init(loop: any TaskLoop, parties: Int) throws(TransportError) {
        guard parties > 0 else { throw .usage(.argument("parties must be > 0")) }
        self.parties = parties
        condition = LoopCondition(loop: loop)
    }

    /// How many wait at it now (asyncio: `n_waiting`).
    public var waitingCount: Int { state == .filling ? count : 0 }

    /// Whether it was aborted (asyncio: `broken`).
    public var isBroken: Bool { state == .broken }

    /// Waits for the others; which one this was, from 0 (asyncio: `wait`).
    ///
    /// - Throws: `BrokenBarrierError`; `TransportError.cancelled` with the task, `.loopClosed`.
    @discardableResult
    public nonisolated(nonsending) func wait() async throws -> Int {
        try await condition.lock.acquire()
        defer { try? condition.lock.release() }
        try await condition.wait { self.state != .draining && self.state != .resetting }
        if state == .broken { throw BrokenBarrierError("Barrier aborted") }
        let index = count
        count += 1
        defer { leave() }
        if index + 1 == parties {
            state = .draining
            try condition.notifyAll()
        } else {
            try await condition.wait { self.state != .filling }
            if state != .draining { throw BrokenBarrierError("Abort or reset of barrier") }
        }
        return index
    }

    private func leave() {
        count -= 1
        guard count == 0 else { return }
        if state == .resetting || state == .draining { state = .filling }
        // The lock is taken, unless the loop was closed meanwhile.
        try? condition.notifyAll()
    }

    /// Begins anew; whoever waits gets an error (asyncio: `reset`).
    ///
    /// - Throws: `TransportError.cancelled` with the task, `.loopClosed`.
    public nonisolated(nonsending) func reset() async throws {
        try await condition.lock.acquire()
        defer { try? condition.lock.release() }
        state = count > 0 ? .resetting : .filling
        try condition.notifyAll()
    }

    /// Breaks it for good: whoever waits or comes gets an error, until `reset` (asyncio: `abort`).
    ///
    /// - Throws: `TransportError.cancelled` with the task, `.loopClosed`.
    public nonisolated(nonsending) func abort() async throws {
        try await condition.lock.acquire()
        defer { try? condition.lock.release() }
        state = .broken
        try condition.notifyAll()
    }
}
