import AnyloopCore

/// What waits for its turn.
@safe
enum ReadyItem {
    /// A callback of the application's.
    case handle(Handle)
    /// The end of a transport: `connectionLost`, then its descriptor goes.
    case ending(Watcher)
    /// A piece of an actor whose executor is the loop.
    case job(UnownedJob)
    /// A piece of a Swift task that prefers the loop's thread.
    case taskJob(UnownedJob)
    /// A suspended task to go on: the job that resuming it makes runs at once.
    case resumption(UnsafeContinuation<Void, Never>)
}

/// First in, first out, in a ring that grows by doubling and never shrinks.
///
/// A class whose every access is a plain load or store: what runs in between may push.
@safe
final class ReadyQueue {
    private var storage: UnsafeMutablePointer<ReadyItem>
    private var capacity: Int
    private var head = 0
    private(set) var count = 0

    init() {
        capacity = 64
        unsafe storage = .allocate(capacity: capacity)
    }

    deinit {
        for index in 0..<count { unsafe (storage + (head + index) & (capacity - 1)).deinitialize(count: 1) }
        unsafe storage.deallocate()
    }

    func push(_ item: consuming ReadyItem) {
        if count == capacity { grow() }
        unsafe (storage + (head + count) & (capacity - 1)).initialize(to: item)
        count += 1
    }

    /// The oldest item, left where it is.
    var first: ReadyItem? { count > 0 ? unsafe storage[head] : nil }

    /// The oldest item. There must be one.
    func pop() -> ReadyItem {
        precondition(count > 0, "the caller counts what it takes")
        let item = unsafe (storage + head).move()
        head = (head + 1) & (capacity - 1)
        count -= 1
        return item
    }

    private func grow() {
        let larger = UnsafeMutablePointer<ReadyItem>.allocate(capacity: capacity * 2)
        let first = capacity - head
        unsafe larger.moveInitialize(from: storage + head, count: first)
        unsafe (larger + first).moveInitialize(from: storage, count: head)
        unsafe storage.deallocate()
        unsafe storage = larger
        head = 0
        capacity *= 2
    }
}
