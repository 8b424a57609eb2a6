import AnyloopCore

/// A queue without room for another item (asyncio: `QueueFull`).
public struct QueueFull: Error, Hashable, Sendable {
    /// The one value.
    public init() {}
}

/// A queue without an item (asyncio: `QueueEmpty`).
public struct QueueEmpty: Error, Hashable, Sendable {
    /// The one value.
    public init() {}
}

/// Hands items from tasks to tasks, first in first out (asyncio: `Queue`). Confined to its loop's thread.
public final class LoopQueue<Item> {
    private let loop: any TaskLoop
    /// What came, and, in reverse, what is to go next.
    private var coming: [Item] = []
    private var going: [Item] = []
    private var getters = WaitLine()
    private var putters = WaitLine()
    private var unfinishedCount = 0
    private let finished: LoopEvent

    /// Items that fit; zero or less: any number (asyncio: `maxsize`).
    public let capacity: Int

    /// A queue for `capacity` items; zero or less: for any number.
    public init(loop: any TaskLoop, capacity: Int = 0) {
        self.loop = loop
        self.capacity = capacity
        finished = LoopEvent(loop: loop)
        finished.set()
    }

    /// Items that wait (asyncio: `qsize`).
    public var count: Int { coming.count + going.count }

    /// Whether there is no item (asyncio: `empty`).
    public var isEmpty: Bool { count == 0 }

    /// Whether there is no room (asyncio: `full`).
    public var isFull: Bool { capacity > 0 && count >= capacity }

    /// Adds an item, once there is room; takes no turn if there is (asyncio: `put`).
    ///
    /// - Throws: `TransportError.cancelled` with the task, `.loopClosed`.
    public nonisolated(nonsending) func put(_ item: Item) async throws {
        while isFull {
            let putter = putters.join(loop)
            do { try await putter.value } catch {
                let wasReleased = putter.isDone && !putter.isCancelled
                putters.leave(putter)
                if !isFull, wasReleased { putters.popNext() }
                throw error
            }
        }
        add(item)
    }

    /// Adds an item (asyncio: `put_nowait`).
    ///
    /// - Throws: `QueueFull`.
    public func putNowait(_ item: Item) throws(QueueFull) {
        guard !isFull else { throw QueueFull() }
        add(item)
    }

    /// The oldest item, once there is one; takes no turn if there is (asyncio: `get`).
    ///
    /// - Throws: `TransportError.cancelled` with the task, `.loopClosed`.
    public nonisolated(nonsending) func get() async throws -> Item {
        while isEmpty {
            let getter = getters.join(loop)
            do { try await getter.value } catch {
                let wasReleased = getter.isDone && !getter.isCancelled
                getters.leave(getter)
                if !isEmpty, wasReleased { getters.popNext() }
                throw error
            }
        }
        return take()
    }

    /// The oldest item (asyncio: `get_nowait`).
    ///
    /// - Throws: `QueueEmpty`.
    public func getNowait() throws(QueueEmpty) -> Item {
        guard !isEmpty else { throw QueueEmpty() }
        return take()
    }

    /// Says that an item that was taken is dealt with (asyncio: `task_done`).
    ///
    /// - Throws: `TransportError.usage` if there were not so many items.
    public func taskDone() throws(TransportError) {
        guard unfinishedCount > 0 else { throw .usage(.argument("task_done() called too many times")) }
        unfinishedCount -= 1
        if unfinishedCount == 0 { finished.set() }
    }

    /// Waits until `taskDone` was called for every item (asyncio: `join`).
    ///
    /// - Throws: `TransportError.cancelled` with the task, `.loopClosed`.
    public nonisolated(nonsending) func join() async throws {
        if unfinishedCount > 0 { try await finished.wait() }
    }

    private func add(_ item: Item) {
        coming.append(item)
        unfinishedCount += 1
        finished.clear()
        getters.popNext()
    }

    private func take() -> Item {
        if going.isEmpty {
            going = coming.reversed()
            coming = []
        }
        let item = going.removeLast()
        putters.popNext()
        return item
    }
}
