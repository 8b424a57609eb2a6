/// Timers that wait for their deadline, in an order of the implementation's choice where deadlines are equal.
package protocol LoopTimers: AnyObject {
    /// How many wait.
    var count: Int { get }
    /// Called before each wait.
    func prepare()
    /// The earliest deadline; nil without timers.
    var deadline: LoopInstant? { get }
    /// Takes `timer` in; cancelling it takes it out.
    func insert(_ timer: TimerHandle)
    /// Moves the timers that are due at `now` to the end of `due`, in their order.
    func takeDue(at now: LoopInstant, into due: inout [TimerHandle])
    /// Cancels every timer.
    func removeAll()
}

extension TimerHeap: LoopTimers {
    package func prepare() {}
}

/// Timers as CPython's event loop keeps them: `heapq` by deadline alone, cancelled ones left in place until they come
/// up or are too many (asyncio rules 23, 27). So timers of equal deadlines run in CPython's order.
package final class HeapqTimers: LoopTimers {
    private var heap: [TimerHandle] = []
    private var cancelled = 0
    private var cancelHook: ((TimerHandle) -> Void)?

    /// Above so many timers the cancelled ones are freed once they are more than half (`_MIN_SCHEDULED_TIMER_HANDLES`,
    /// `_MIN_CANCELLED_TIMER_HANDLES_FRACTION`).
    private static let bulkSize = 100

    /// No timers.
    package init() {
        cancelHook = { [weak self] timer in
            guard let self, timer.heapIndex >= 0 else { return }
            cancelled += 1
        }
    }

    package var count: Int { heap.count - cancelled }

    package var deadline: LoopInstant? { heap.first?.when }

    package func insert(_ timer: TimerHandle) {
        timer.heapIndex = 0
        timer.onCancel = cancelHook
        heap.append(timer)
        siftDown(from: 0, heap.count - 1)
    }

    package func takeDue(at now: LoopInstant, into due: inout [TimerHandle]) {
        while let first = heap.first, first.when <= now {
            pop()
            if first.isCancelled { cancelled -= 1 } else { due.append(first) }
        }
    }

    package func removeAll() {
        let all = heap
        heap = []
        cancelled = 0
        for timer in all {
            letGo(timer)
            timer.cancel()
        }
    }

    /// Frees cancelled timers: all of them once they are many, else those that are next.
    package func prepare() {
        guard cancelled > 0 else { return }
        if heap.count > Self.bulkSize, cancelled * 2 > heap.count {
            for timer in heap where timer.isCancelled { letGo(timer) }
            heap.removeAll { $0.isCancelled }
            cancelled = 0
            for position in (0..<heap.count / 2).reversed() { siftUp(position) }
        } else {
            while let first = heap.first, first.isCancelled {
                pop()
                cancelled -= 1
            }
        }
    }

    private func letGo(_ timer: TimerHandle) {
        timer.heapIndex = -1
        timer.onCancel = nil
    }

    private func pop() {
        letGo(heap[0])
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        siftUp(0)
    }

    /// heapq's `_siftdown`: towards the root.
    private func siftDown(from start: Int, _ end: Int) {
        let moving = heap[end]
        var position = end
        while position > start {
            let parent = (position - 1) >> 1
            guard moving.when < heap[parent].when else { break }
            heap[position] = heap[parent]
            position = parent
        }
        heap[position] = moving
    }

    /// heapq's `_siftup`: down to a leaf along the smaller children, then back up to its place.
    private func siftUp(_ start: Int) {
        let moving = heap[start]
        var position = start
        var child = 2 * position + 1
        while child < heap.count {
            let right = child + 1
            if right < heap.count, !(heap[child].when < heap[right].when) { child = right }
            heap[position] = heap[child]
            position = child
            child = 2 * position + 1
        }
        heap[position] = moving
        siftDown(from: start, position)
    }
}
