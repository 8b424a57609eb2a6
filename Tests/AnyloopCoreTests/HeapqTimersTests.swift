import AnyloopCore
import Testing

/// CPython's timer heap, against orders that `heapq` itself gave (CPython 3.11.7).
@Suite struct HeapqTimersTests {
    private func order(_ deadlines: [Int64], cancelling: Set<Int> = [], now: Int64 = .max) -> [Int] {
        let timers = HeapqTimers()
        var handles: [TimerHandle] = []
        for deadline in deadlines { handles.append(TimerHandle(when: LoopInstant(nanoseconds: deadline)) {}) }
        for handle in handles { timers.insert(handle) }
        for index in cancelling { handles[index].cancel() }
        timers.prepare()
        var due: [TimerHandle] = []
        timers.takeDue(at: LoopInstant(nanoseconds: now), into: &due)
        return due.map { handle in handles.firstIndex { $0 === handle } ?? -1 }
    }

    @Test("rule 23: equal deadlines run in the heap's order") func equalDeadlines() {
        #expect(order([1, 1, 1, 1, 1]) == [0, 2, 4, 1, 3])
        #expect(order(Array(repeating: 1, count: 12)) == [0, 2, 6, 11, 10, 9, 8, 5, 7, 4, 1, 3])
    }

    @Test("rule 23: different deadlines run by deadline") func differentDeadlines() {
        #expect(order([5, 3, 9, 1, 7]) == [3, 1, 0, 4, 2])
        #expect(order([5, 3, 9, 1, 7], now: 5) == [3, 1, 0])
    }

    @Test("rule 27: cancelled timers never run, alone or many of them", arguments: [10, 101, 1000])
    func cancelled(_ count: Int) {
        let cancelling = Set((0..<count).filter { $0 % 3 != 0 })
        let deadlines = (0..<count).map { Int64(count - $0) }
        #expect(order(deadlines, cancelling: cancelling) == (0..<count).reversed().filter { $0 % 3 == 0 })
    }

    @Test("rule 27: what waits is counted without the cancelled ones, and the earliest is never one of them")
    func counts() {
        let timers = HeapqTimers()
        let handles = (0..<200).map { TimerHandle(when: LoopInstant(nanoseconds: Int64($0))) {} }
        for handle in handles { timers.insert(handle) }
        for handle in handles.prefix(120) { handle.cancel() }
        #expect(timers.count == 80)
        timers.prepare()
        #expect(timers.deadline == LoopInstant(nanoseconds: 120))
        handles[120].cancel()
        timers.prepare()
        #expect(timers.deadline == LoopInstant(nanoseconds: 121))
        timers.removeAll()
        #expect(timers.count == 0)
        #expect(handles.allSatisfy { $0.isCancelled })
    }
}
