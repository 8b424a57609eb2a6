import AnyloopCore

/// The loop's timers: a binary heap by deadline, then by the order of scheduling.
///
/// Every handle knows its place, so that cancelling costs O(log n) and leaves nothing behind.
final class TimerHeap {
    private struct Entry {
        var when: Int64
        var sequence: UInt64
        var timer: TimerHandle

        func precedes(_ other: Entry) -> Bool {
            when != other.when ? when < other.when : sequence < other.sequence
        }
    }

    private var entries: [Entry] = []
    private var nextSequence: UInt64 = 0
    /// Given to every handle; made once, so that a timer costs no closure of its own.
    private var cancelHook: ((TimerHandle) -> Void)?

    init() {
        cancelHook = { [weak self] timer in self?.remove(timer) }
    }

    var count: Int { entries.count }

    /// The earliest deadline; nil without timers.
    var deadline: LoopInstant? { entries.first.map { LoopInstant(nanoseconds: $0.when) } }

    func insert(_ timer: TimerHandle) {
        timer.sequence = nextSequence
        timer.onCancel = cancelHook
        entries.append(Entry(when: timer.when.nanoseconds, sequence: nextSequence, timer: timer))
        nextSequence += 1
        siftUp(entries.count - 1)
    }

    /// Moves the timers that are due at `now` to the end of `due`, in their order.
    func takeDue(at now: LoopInstant, into due: inout [TimerHandle]) {
        while let first = entries.first, first.when <= now.nanoseconds {
            removeEntry(at: 0)
            first.timer.onCancel = nil
            due.append(first.timer)
        }
    }

    func removeAll() {
        for entry in entries {
            entry.timer.onCancel = nil
            entry.timer.heapIndex = -1
            entry.timer.cancel()
        }
        entries = []
    }

    private func remove(_ timer: TimerHandle) {
        guard timer.heapIndex >= 0 else { return }
        removeEntry(at: timer.heapIndex)
    }

    private func removeEntry(at index: Int) {
        entries[index].timer.heapIndex = -1
        let last = entries.removeLast()
        guard index < entries.count else { return }
        entries[index] = last
        last.timer.heapIndex = index
        if index > 0, last.precedes(entries[(index - 1) / 2]) { siftUp(index) } else { siftDown(index) }
    }

    private func siftUp(_ start: Int) {
        var index = start
        let moving = entries[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard moving.precedes(entries[parent]) else { break }
            place(entries[parent], at: index)
            index = parent
        }
        place(moving, at: index)
    }

    private func siftDown(_ start: Int) {
        var index = start
        let moving = entries[index]
        while true {
            var child = 2 * index + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].precedes(entries[child]) { child += 1 }
            guard entries[child].precedes(moving) else { break }
            place(entries[child], at: index)
            index = child
        }
        place(moving, at: index)
    }

    private func place(_ entry: Entry, at index: Int) {
        entries[index] = entry
        entry.timer.heapIndex = index
    }
}
