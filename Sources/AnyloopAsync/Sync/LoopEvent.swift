import AnyloopCore

/// A flag that tasks wait for (asyncio: `Event`). Confined to its loop's thread.
public final class LoopEvent {
    private let loop: any TaskLoop
    private var waiters = WaitLine()

    /// Whether it is set (asyncio: `is_set`).
    public private(set) var isSet = false

    /// An event that is not set.
    public init(loop: any TaskLoop) {
        self.loop = loop
    }

    /// Sets the flag and lets everyone go on who waits (asyncio: `set`).
    public func set() {
        guard !isSet else { return }
        isSet = true
        waiters.releaseAll()
    }

    /// Clears the flag (asyncio: `clear`).
    public func clear() { isSet = false }

    /// Waits until the flag is set; takes no turn if it is (asyncio: `wait`).
    ///
    /// - Throws: `TransportError.cancelled` with the task, `.loopClosed`.
    public nonisolated(nonsending) func wait() async throws {
        guard !isSet else { return }
        let waiter = waiters.join(loop)
        defer { waiters.leave(waiter) }
        try await waiter.value
    }
}

/// Tasks that wait, first come first.
struct WaitLine {
    private(set) var waiters: [Future<Void>] = []

    var isEmpty: Bool { waiters.isEmpty }

    mutating func join(_ loop: any TaskLoop) -> Future<Void> {
        let waiter = loop.createFuture(of: Void.self)
        waiters.append(waiter)
        return waiter
    }

    mutating func leave(_ waiter: Future<Void>) { waiters.removeAll { $0 === waiter } }

    /// Lets the first go on, if nobody before it has been let go on already.
    func releaseHead() { waiters.first?.release() }

    /// Lets up to `count` go on that do not yet; how many that were.
    @discardableResult
    func releaseNext(_ count: Int = 1) -> Int {
        var released = 0
        for waiter in waiters where released < count && !waiter.isDone {
            waiter.release()
            released += 1
        }
        return released
    }

    func releaseAll() { for waiter in waiters { waiter.release() } }

    /// Lets everyone go on and forgets them.
    mutating func popAll() {
        releaseAll()
        waiters = []
    }

    /// Lets the first go on that does not yet, and forgets it and those before it.
    mutating func popNext() {
        while !waiters.isEmpty {
            let waiter = waiters.removeFirst()
            if !waiter.isDone { return waiter.release() }
        }
    }
}
