import AnyloopAsync
import AnyloopCore
import Testing

/// Events, locks, conditions, semaphores and queues, which asyncio builds of futures (rule 28).
@Suite struct SyncTests {
    @Test("rule 28: an event lets everyone go on, in the order of their coming", arguments: LoopKind.allCases)
    func events(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            let event = LoopEvent(loop: loop)
            for number in 1...3 {
                loop.createTask {
                    try await event.wait()
                    journal("\(number)")
                }
            }
            try await loop.sleep(for: .zero)
            event.set()
            event.set()
            #expect(event.isSet)
            try await event.wait()
            journal("at once")
            event.clear()
            #expect(!event.isSet)
            try await loop.sleep(for: .zero)
        }
        #expect(journal.entries == ["at once", "1", "2", "3"])
    }

    @Test("rule 28: a lock lets one in at a time, in the order of their coming", arguments: LoopKind.allCases)
    func locks(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            let lock = LoopLock(loop: loop)
            #expect(await misuse { try lock.release() } == .state("Lock is not acquired."))
            func enter(_ name: String) -> LoopTask<Void> {
                loop.createTask(name: name) {
                    try await lock.withLock {
                        journal("\(name) in")
                        try await loop.sleep(for: .zero)
                        journal("\(name) out")
                    }
                }
            }
            let tasks = ["a", "b", "c"].map(enter)
            try await loop.sleep(for: .zero)
            #expect(lock.isLocked)
            tasks[1].cancel()
            _ = try await loop.wait(for: tasks)
            #expect(!lock.isLocked && tasks[1].isCancelled)
            await #expect(throws: Broken()) { try await lock.withLock { throw Broken() } }
            #expect(!lock.isLocked)
        }
        #expect(journal.entries == ["a in", "a out", "c in", "c out"])
    }

    @Test("rule 28: a lock handed to a task that is cancelled goes to the next", arguments: LoopKind.allCases)
    func lockOfACancelledTask(_ kind: LoopKind) throws {
        try kind.run { loop in
            let lock = LoopLock(loop: loop)
            try await lock.acquire()
            let first = loop.createTask { try await lock.acquire() }
            let second = loop.createTask { try await lock.acquire() }
            try await loop.sleep(for: .zero)
            try lock.release()
            first.cancel()
            _ = try await loop.wait(for: [first, second])
            #expect(first.isCancelled && !second.isCancelled && lock.isLocked)
        }
    }

    @Test("rule 28: a condition", arguments: LoopKind.allCases)
    func conditions(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            let condition = LoopCondition(loop: loop)
            #expect(await misuse { try await condition.wait() } == .state("cannot wait on un-acquired lock"))
            #expect(await misuse { try condition.notify() } == .state("cannot notify on un-acquired lock"))
            let count = Box<Int>()
            let tasks = (1...3).map { number in
                loop.createTask {
                    try await condition.lock.withLock {
                        try await condition.wait { (count.value ?? 0) >= number }
                        journal("\(number)")
                    }
                }
            }
            try await loop.sleep(for: .zero)
            for number in 1...3 {
                try await condition.lock.withLock {
                    count.value = number
                    if number == 2 { try condition.notify() } else { try condition.notifyAll() }
                }
                try await loop.sleep(for: .milliseconds(1))
                journal("told \(number)")
            }
            tasks[1].cancel()
            _ = try await loop.wait(for: tasks)
        }
        #expect(journal.entries == ["1", "told 1", "2", "told 2", "3", "told 3"])
    }

    @Test("rule 28: a cancelled wait on a condition still takes the lock again", arguments: LoopKind.allCases)
    func cancelledConditions(_ kind: LoopKind) throws {
        try kind.run { loop in
            let condition = LoopCondition(loop: loop)
            let task = loop.createTask {
                try await condition.lock.acquire()
                do { try await condition.wait() } catch { return condition.lock.isLocked }
                return false
            }
            try await loop.sleep(for: .zero)
            task.cancel()
            let hadLock = try await task.value
            #expect(hadLock)
        }
    }

    @Test("rule 28: a semaphore lets so many in", arguments: LoopKind.allCases)
    func semaphores(_ kind: LoopKind) throws {
        try kind.run { loop in
            #expect(
                await misuse { _ = try LoopSemaphore(loop: loop, value: -1) }
                    == .argument("Semaphore initial value must be >= 0"))
            let semaphore = try LoopSemaphore(loop: loop, value: 2, isBounded: true)
            #expect(
                await misuse { try semaphore.release() } == .argument("BoundedSemaphore released too many times"))
            let inside = Box<Int>()
            let most = Box<Int>()
            let tasks = (0..<10).map { _ in
                loop.createTask {
                    try await semaphore.withSemaphore {
                        inside.value = (inside.value ?? 0) + 1
                        most.value = max(most.value ?? 0, inside.value ?? 0)
                        try await loop.sleep(for: .zero)
                        inside.value = (inside.value ?? 0) - 1
                    }
                }
            }
            try await loop.sleep(for: .zero)
            #expect(semaphore.isLocked)
            tasks[5].cancel()
            _ = try await loop.wait(for: tasks)
            #expect(most.value == 2 && inside.value == 0 && !semaphore.isLocked)
            #expect(tasks[5].isCancelled)
        }
    }

    @Test("rule 28: a queue at its limit and one past it", arguments: LoopKind.allCases)
    func queues(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            let queue = LoopQueue<Int>(loop: loop, capacity: 2)
            #expect(throws: QueueEmpty()) { try queue.getNowait() }
            try queue.putNowait(1)
            try await queue.put(2)
            #expect(queue.isFull && queue.count == 2)
            #expect(throws: QueueFull()) { try queue.putNowait(3) }
            let putting = loop.createTask {
                try await queue.put(3)
                journal("put")
            }
            try await loop.sleep(for: .zero)
            #expect(!putting.isDone)
            journal("\(try await queue.get())")
            try await putting.value
            for _ in 0..<2 { journal("\(try queue.getNowait())") }
            #expect(queue.isEmpty)
            loop.callSoon { try queue.putNowait(4) }
            journal("\(try await queue.get())")
            let joining = loop.createTask { try await queue.join() }
            for _ in 0..<4 {
                try await loop.sleep(for: .zero)
                #expect(!joining.isDone)
                try queue.taskDone()
            }
            try await joining.value
            #expect(await misuse { try queue.taskDone() } == .argument("task_done() called too many times"))
        }
        #expect(journal.entries == ["1", "put", "2", "3", "4"])
    }

    @Test("rule 28: a cancelled getter passes its item on", arguments: LoopKind.allCases)
    func cancelledGetters(_ kind: LoopKind) throws {
        try kind.run { loop in
            let queue = LoopQueue<Int>(loop: loop)
            let first = loop.createTask { try await queue.get() }
            let second = loop.createTask { try await queue.get() }
            try await loop.sleep(for: .zero)
            try queue.putNowait(1)
            first.cancel()
            let value = try await second.value
            #expect(value == 1)
            #expect(first.isCancelled)
        }
    }

    @Test("rule 28: queues in other orders", arguments: LoopKind.allCases)
    func orders(_ kind: LoopKind) throws {
        try kind.run { loop in
            let numbers = [5, 1, 4, 1, 3, 9, 2, 6]
            func all(_ order: LoopQueue<Int>.Order) throws -> [Int] {
                let queue = LoopQueue(loop: loop, order: order)
                for number in numbers { try queue.putNowait(number) }
                return try numbers.map { _ in try queue.getNowait() }
            }
            let (oldest, newest, smallest) = try (all(.firstInFirstOut), all(.lastInFirstOut), all(.smallestFirst(<)))
            #expect(oldest == numbers)
            #expect(newest == numbers.reversed())
            #expect(smallest == numbers.sorted())
        }
    }

    @Test("rule 28: a queue that is shut down", arguments: LoopKind.allCases)
    func shutDown(_ kind: LoopKind) throws {
        try kind.run { loop in
            let queue = LoopQueue<Int>(loop: loop, capacity: 1)
            let getting = loop.createTask { try await queue.get() }
            try await loop.sleep(for: .zero)
            queue.shutDown()
            await #expect(throws: QueueShutDown()) { _ = try await getting.value }
            #expect(throws: QueueShutDown()) { try queue.putNowait(1) }
            #expect(throws: QueueShutDown()) { _ = try queue.getNowait() }

            let full = LoopQueue<Int>(loop: loop, capacity: 1)
            try full.putNowait(1)
            let putting = loop.createTask { try await full.put(2) }
            try await loop.sleep(for: .zero)
            full.shutDown()
            await #expect(throws: QueueShutDown()) { try await putting.value }
            let left = try await full.get()
            #expect(left == 1)

            let dropped = LoopQueue<Int>(loop: loop)
            try dropped.putNowait(1)
            let joining = loop.createTask { try await dropped.join() }
            try await loop.sleep(for: .zero)
            dropped.shutDown(immediate: true)
            try await joining.value
            #expect(dropped.isEmpty)
        }
    }

    @Test("rule 28: a barrier at its number, and one less", arguments: LoopKind.allCases)
    func barriers(_ kind: LoopKind) throws {
        try kind.run { loop in
            #expect(
                await misuse { _ = try LoopBarrier(loop: loop, parties: 0) } == .argument("parties must be > 0"))
            let barrier = try LoopBarrier(loop: loop, parties: 3)
            for _ in 0..<2 {
                let early = (0..<2).map { _ in loop.createTask { try await barrier.wait() } }
                try await loop.sleep(for: .milliseconds(1))
                #expect(barrier.waitingCount == 2 && early.allSatisfy { !$0.isDone })
                let last = try await barrier.wait()
                #expect(last == 2)
                let first = try await loop.gather(early).value
                #expect(first == [0, 1])
            }
            let waiting = loop.createTask { try await barrier.wait() }
            try await loop.sleep(for: .milliseconds(1))
            try await barrier.reset()
            await #expect(throws: BrokenBarrierError("Abort or reset of barrier")) { _ = try await waiting.value }
            #expect(!barrier.isBroken && barrier.waitingCount == 0)
            try await barrier.abort()
            #expect(barrier.isBroken)
            await #expect(throws: BrokenBarrierError("Barrier aborted")) { _ = try await barrier.wait() }
        }
    }
}
