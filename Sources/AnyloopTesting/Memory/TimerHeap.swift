import AnyloopCore

/// Timers by deadline; of two equal ones the one scheduled first comes first.
struct TimerHeap {
    private var timers: [TimerHandle] = []
    private var nextSequence: UInt64 = 0

    /// The timer due next.
    var first: TimerHandle? { timers.first }

    /// How many timers wait.
    var count: Int { timers.count }

    mutating func insert(_ timer: TimerHandle) {
        timer.sequence = nextSequence
        nextSequence += 1
        timer.heapIndex = timers.count
        timers.append(timer)
        siftUp(timer.heapIndex)
    }

    mutating func removeFirst() -> TimerHandle? {
        guard let first = timers.first else { return nil }
        remove(first)
        return first
    }

    mutating func remove(_ timer: TimerHandle) {
        let index = timer.heapIndex
        guard index >= 0, index < timers.count, timers[index] === timer else { return }
        timer.heapIndex = -1
        let last = timers.removeLast()
        guard last !== timer else { return }
        place(last, at: index)
        siftUp(index)
        siftDown(last.heapIndex)
    }

    mutating func removeAll() {
        for timer in timers {
            timer.heapIndex = -1
            timer.onCancel = nil
        }
        timers.removeAll(keepingCapacity: true)
    }

    private mutating func place(_ timer: TimerHandle, at index: Int) {
        timers[index] = timer
        timer.heapIndex = index
    }

    private static func isBefore(_ left: TimerHandle, _ right: TimerHandle) -> Bool {
        left.when == right.when ? left.sequence < right.sequence : left.when < right.when
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        let timer = timers[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard Self.isBefore(timer, timers[parent]) else { break }
            place(timers[parent], at: index)
            index = parent
        }
        place(timer, at: index)
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        let timer = timers[index]
        while true {
            var child = 2 * index + 1
            guard child < timers.count else { break }
            if child + 1 < timers.count, Self.isBefore(timers[child + 1], timers[child]) { child += 1 }
            guard Self.isBefore(timers[child], timer) else { break }
            place(timers[child], at: index)
            index = child
        }
        place(timer, at: index)
    }
}
