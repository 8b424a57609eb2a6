/// A loop's timers: a binary heap by deadline, then by the order of scheduling.
///
/// Every timer has a slot and every slot knows its place in the heap, so that cancelling costs O(log n) and leaves
/// nothing behind. The heap itself holds plain numbers: moving them counts no references.
@safe
package final class TimerHeap {
    private struct Entry {
        var when: Int64
        var sequence: UInt64
        var slot: Int

        func precedes(_ other: Entry) -> Bool {
            when != other.when ? when < other.when : sequence < other.sequence
        }
    }

    /// How many timers wait.
    package private(set) var count = 0
    private var capacity = 16
    private var entries: UnsafeMutablePointer<Entry>
    /// By slot: the place in the heap; of a free slot, the next free one.
    private var places: UnsafeMutablePointer<Int>
    /// By slot: the timer; nil in a free one.
    private var timers: UnsafeMutablePointer<TimerHandle?>
    /// The first free slot; `capacity` if there is none.
    private var free = 0
    private var nextSequence: UInt64 = 0
    /// Given to every handle; made once, so that a timer costs no closure of its own.
    private var cancelHook: ((TimerHandle) -> Void)?

    /// A heap without timers.
    package init() {
        unsafe entries = .allocate(capacity: capacity)
        unsafe places = .allocate(capacity: capacity)
        unsafe timers = .allocate(capacity: capacity)
        addSlots(from: 0)
        cancelHook = { [weak self] timer in self?.remove(timer) }
    }

    deinit {
        unsafe timers.deinitialize(count: capacity)
        unsafe entries.deallocate()
        unsafe places.deallocate()
        unsafe timers.deallocate()
    }

    /// The earliest deadline; nil without timers.
    package var deadline: LoopInstant? { count > 0 ? LoopInstant(nanoseconds: unsafe entries[0].when) : nil }

    /// Takes `timer` in; cancelling it takes it out.
    package func insert(_ timer: TimerHandle) {
        if free == capacity { grow() }
        let slot = free
        free = unsafe places[slot]
        unsafe timers[slot] = timer
        timer.heapIndex = slot
        timer.sequence = nextSequence
        timer.onCancel = cancelHook
        count += 1
        siftUp(Entry(when: timer.when.nanoseconds, sequence: nextSequence, slot: slot), from: count - 1)
        nextSequence += 1
    }

    /// Moves the timers that are due at `now` to the end of `due`, in their order.
    package func takeDue(at now: LoopInstant, into due: inout [TimerHandle]) {
        while count > 0, unsafe entries[0].when <= now.nanoseconds {
            if let timer = removeEntry(at: 0) { due.append(timer) }
        }
    }

    /// Cancels every timer.
    package func removeAll() {
        while count > 0 { removeEntry(at: count - 1)?.cancel() }
    }

    private func remove(_ timer: TimerHandle) {
        guard timer.heapIndex >= 0 else { return }
        removeEntry(at: unsafe places[timer.heapIndex])
    }

    @discardableResult
    private func removeEntry(at index: Int) -> TimerHandle? {
        let slot = unsafe entries[index].slot
        let timer = unsafe timers[slot]
        unsafe timers[slot] = nil
        unsafe places[slot] = free
        free = slot
        timer?.heapIndex = -1
        timer?.onCancel = nil
        count -= 1
        guard index < count else { return timer }
        let last = unsafe entries[count]
        if index > 0, last.precedes(unsafe entries[(index - 1) / 2]) {
            siftUp(last, from: index)
        } else {
            siftDown(last, from: index)
        }
        return timer
    }

    private func siftUp(_ moving: Entry, from start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            let above = unsafe entries[parent]
            guard moving.precedes(above) else { break }
            place(above, at: index)
            index = parent
        }
        place(moving, at: index)
    }

    private func siftDown(_ moving: Entry, from start: Int) {
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < count else { break }
            if child + 1 < count, unsafe entries[child + 1].precedes(entries[child]) { child += 1 }
            let below = unsafe entries[child]
            guard below.precedes(moving) else { break }
            place(below, at: index)
            index = child
        }
        place(moving, at: index)
    }

    private func place(_ entry: Entry, at index: Int) {
        unsafe entries[index] = entry
        unsafe places[entry.slot] = index
    }

    private func addSlots(from start: Int) {
        for slot in start..<capacity { unsafe places[slot] = slot + 1 }
        unsafe (timers + start).initialize(repeating: nil, count: capacity - start)
    }

    private func grow() {
        let former = capacity
        capacity *= 2
        let (oldEntries, oldPlaces, oldTimers) = unsafe (entries, places, timers)
        unsafe entries = .allocate(capacity: capacity)
        unsafe places = .allocate(capacity: capacity)
        unsafe timers = .allocate(capacity: capacity)
        unsafe entries.update(from: oldEntries, count: count)
        unsafe places.update(from: oldPlaces, count: former)
        unsafe timers.moveInitialize(from: oldTimers, count: former)
        addSlots(from: former)
        unsafe oldEntries.deallocate()
        unsafe oldPlaces.deallocate()
        unsafe oldTimers.deallocate()
    }
}
