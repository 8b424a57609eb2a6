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

/// A queue that was shut down (asyncio 3.13: `QueueShutDown`).
public struct QueueShutDown: Error, Hashable, Sendable {
    /// The one value.
    public init() {}
}

/// Hands items from tasks to tasks (asyncio: `Queue`, `LifoQueue`, `PriorityQueue`). Confined to its loop's thread.
public final class LoopQueue<Item> {
    /// Which item is next.
    public enum Order {
        /// The oldest (asyncio: `Queue`).
        case firstInFirstOut
        /// The newest (asyncio: `LifoQueue`).
        case lastInFirstOut
        /// The smallest; of several, any (asyncio: `PriorityQueue`).
        case smallestFirst((Item, Item) -> Bool)
    }

    private let loop: any TaskLoop
    private var store: QueueStore<Item>
    private var getters = WaitLine()
    private var putters = WaitLine()
    private var unfinishedCount = 0
    private let finished: LoopEvent
    private var isShutDown = false

    /// Items that fit; zero or less: any number (asyncio: `maxsize`).
    public let capacity: Int

    /// A queue for `capacity` items; zero or less: for any number.
    public init(loop: any TaskLoop, capacity: Int = 0, order: Order = .firstInFirstOut) {
        self.loop = loop
        self.capacity = capacity
        store = QueueStore(order)
        finished = LoopEvent(loop: loop)
        finished.set()
    }

    /// Items that wait (asyncio: `qsize`).
    public var count: Int { store.count }

    /// Whether there is no item (asyncio: `empty`).
    public var isEmpty: Bool { store.count == 0 }

    /// Whether there is no room (asyncio: `full`).
    public var isFull: Bool { capacity > 0 && store.count >= capacity }

    /// Adds an item, once there is room; takes no turn if there is (asyncio: `put`).
    ///
    /// - Throws: `QueueShutDown`; `TransportError.cancelled` with the task, `.loopClosed`.
    public nonisolated(nonsending) func put(_ item: Item) async throws {
        while isFull {
            if isShutDown { throw QueueShutDown() }
            let putter = putters.join(loop)
            do { try await putter.value } catch {
                let wasReleased = putter.isDone && !putter.isCancelled
                putters.leave(putter)
                if !isFull, wasReleased { putters.popNext() }
                throw error
            }
        }
        try putNowait(item)
    }

    /// Adds an item (asyncio: `put_nowait`).
    ///
    /// - Throws: `QueueFull`, `QueueShutDown`.
    public func putNowait(_ item: Item) throws {
        if isShutDown { throw QueueShutDown() }
        guard !isFull else { throw QueueFull() }
        store.add(item)
        unfinishedCount += 1
        finished.clear()
        getters.popNext()
    }

    /// The next item, once there is one; takes no turn if there is (asyncio: `get`).
    ///
    /// - Throws: `QueueShutDown` once it is empty; `TransportError.cancelled` with the task, `.loopClosed`.
    public nonisolated(nonsending) func get() async throws -> Item {
        while isEmpty {
            if isShutDown { throw QueueShutDown() }
            let getter = getters.join(loop)
            do { try await getter.value } catch {
                let wasReleased = getter.isDone && !getter.isCancelled
                getters.leave(getter)
                if !isEmpty, wasReleased { getters.popNext() }
                throw error
            }
        }
        return try getNowait()
    }

    /// The next item (asyncio: `get_nowait`).
    ///
    /// - Throws: `QueueEmpty`; `QueueShutDown` in its place after `shutDown`.
    public func getNowait() throws -> Item {
        guard let item = store.take() else {
            if isShutDown { throw QueueShutDown() }
            throw QueueEmpty()
        }
        putters.popNext()
        return item
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

    /// Takes no more items; whoever waits for room or for an item hears so (asyncio 3.13: `shutdown`).
    ///
    /// What is in the queue can still be taken, unless `immediate` drops it.
    public func shutDown(immediate: Bool = false) {
        isShutDown = true
        if immediate {
            while store.take() != nil {
                if unfinishedCount > 0 { unfinishedCount -= 1 }
            }
            if unfinishedCount == 0 { finished.set() }
        }
        getters.popAll()
        putters.popAll()
    }
}

/// A queue's items in one of the orders.
private struct QueueStore<Item> {
    private let order: LoopQueue<Item>.Order
    /// What came; a heap where the smallest goes first.
    private var items: [Item] = []
    /// For the oldest first: what goes next, in reverse.
    private var going: [Item] = []

    init(_ order: LoopQueue<Item>.Order) {
        self.order = order
    }

    var count: Int { items.count + going.count }

    mutating func add(_ item: Item) {
        items.append(item)
        if case .smallestFirst(let isLess) = order { rise(isLess) }
    }

    mutating func take() -> Item? {
        switch order {
        case .lastInFirstOut: return items.popLast()
        case .firstInFirstOut:
            if going.isEmpty {
                going = items.reversed()
                items = []
            }
            return going.popLast()
        case .smallestFirst(let isLess):
            guard let last = items.popLast() else { return nil }
            guard let smallest = items.first else { return last }
            items[0] = last
            sink(isLess)
            return smallest
        }
    }

    private mutating func rise(_ isLess: (Item, Item) -> Bool) {
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard isLess(items[child], items[parent]) else { return }
            items.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func sink(_ isLess: (Item, Item) -> Bool) {
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < items.count else { return }
            if child + 1 < items.count, isLess(items[child + 1], items[child]) { child += 1 }
            guard isLess(items[child], items[parent]) else { return }
            items.swapAt(child, parent)
            parent = child
        }
    }
}
