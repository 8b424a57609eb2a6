import AnyloopCore
import AnyloopTestHosts
import Testing

@testable import AnyloopNativeLoop

/// The heap, and that waits end at the next deadline and never before.
@Suite struct TimerTests {
    /// A generator that gives every run the same numbers.
    private struct Sequence {
        var state: UInt64
        mutating func next(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
    }

    @Test(arguments: [1, 2, 3, 17, 1000])
    func heapKeepsTheOrderOfDeadlinesThenOfScheduling(_ count: Int) {
        let heap = TimerHeap()
        var numbers = Sequence(state: UInt64(count))
        var timers: [TimerHandle] = []
        for _ in 0..<count {
            let timer = TimerHandle(when: LoopInstant(nanoseconds: Int64(numbers.next(below: 20)))) {}
            timers.append(timer)
            heap.insert(timer)
        }
        // Cancel a third, from anywhere in the heap.
        let cancelled = timers.indices.filter { _ in numbers.next(below: 3) == 0 }
        for index in cancelled { timers[index].cancel() }
        #expect(heap.count == count - cancelled.count)
        for index in cancelled { #expect(timers[index].heapIndex == -1) }

        let expected = timers.filter { !$0.isCancelled }.sorted {
            $0.when != $1.when ? $0.when < $1.when : $0.sequence < $1.sequence
        }
        var due: [TimerHandle] = []
        heap.takeDue(at: LoopInstant(nanoseconds: 9), into: &due)
        #expect(due.allSatisfy { $0.when.nanoseconds <= 9 })
        heap.takeDue(at: LoopInstant(nanoseconds: 20), into: &due)
        #expect(due.map(\.sequence) == expected.map(\.sequence))
        #expect(heap.count == 0)
        #expect(heap.deadline == nil)
    }

    @Test(arguments: PollerKind.allCases)
    func neverEarlyWhateverTheFractionOfAMillisecond(_ poller: PollerKind) throws {
        let loop = try makeLoop(poller)
        defer { loop.closeLoop() }
        var early = 0
        var ran = 0
        for step in 1...40 {
            let asked = monotonicNow()
            let delay = Duration.microseconds(step * 137)
            loop.callLater(delay) {
                ran += 1
                if monotonicNow() - asked < delay { early += 1 }
                if ran == 40 { loop.stop() }
            }
        }
        try loop.run()
        #expect(early == 0)
    }

    @Test(arguments: PollerKind.allCases)
    func aWaitEndsAtTheDeadlineAndRunsTheTimerInThatTurn(_ poller: PollerKind) throws {
        let loop = try makeLoop(poller)
        defer { loop.closeLoop() }
        var ran = false
        loop.callLater(.milliseconds(20)) { ran = true }
        try loop.runOnce(timeout: nil)
        #expect(ran, "one turn is enough: it waits as long as the deadline is away, not less")
    }

    @Test func aTimerSetByATimerWaitsForTheNextTurn() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        var order: [Int] = []
        loop.callLater(.zero) {
            order.append(1)
            loop.callLater(.seconds(-1)) { order.append(2) }
        }
        try loop.runOnce(timeout: .zero)
        #expect(order == [1])
        try loop.runOnce(timeout: .zero)
        #expect(order == [1, 2])
    }

    @Test func aTurnRunsQueuedThenDescriptorsThenTimers() throws {
        let loop = try makeLoop(.epoll)
        let (near, far) = try RawSocket.unixPair()
        defer {
            loop.closeLoop()
            RawSocket.close(near, far)
        }
        var order: [String] = []
        loop.callLater(.zero) { order.append("timer") }
        try loop.addWriter(near) { order.append("descriptor") }
        loop.callSoon {
            order.append("queued")
            loop.callSoon { order.append("next") }
        }
        try loop.runOnce(timeout: .zero)
        #expect(order == ["queued", "descriptor", "timer"])
    }

    @Test func cancellingAfterTheLoopIsGoneIsHarmless() throws {
        var loop: NativeLoop? = try makeLoop(.epoll)
        let timer = loop?.callLater(.seconds(60)) {}
        loop = nil
        timer?.cancel()
        #expect(timer?.isCancelled == true)
    }
}

/// A loop on that poller, otherwise as it comes.
func makeLoop(_ poller: PollerKind, _ change: (inout NativeLoopOptions) -> Void = { _ in }) throws -> NativeLoop {
    var options = NativeLoopOptions()
    options.poller = poller
    change(&options)
    return try NativeLoop(options: options)
}
