import NIOBridge
import NIOConcurrencyHelpers
import NIOCore
import Testing

/// Tasks, timers, Swift concurrency on a `NativeEventLoop`.
@Suite struct HostLoopTests {
    @Test func runsTasksUntilNoneIsLeft() async throws {
        try await withGroup { group in
            let loop = group.next()
            let order = NIOLockedValueBox<[Int]>([])
            let isDone = loop.makePromise(of: Void.self)
            loop.execute {
                // A timer that is due comes before the next wait, and tasks that tasks queue do as well.
                loop.scheduleTask(in: .nanoseconds(0)) { order.withLockedValue { $0.append(3) } }
                loop.execute {
                    order.withLockedValue { $0.append(1) }
                    loop.execute {
                        order.withLockedValue { $0.append(4) }
                        isDone.succeed(())
                    }
                }
                loop.execute { order.withLockedValue { $0.append(2) } }
            }
            try await isDone.futureResult.get()
            try await loop.submit {}.get()
            #expect(order.withLockedValue { $0.sorted() } == [1, 2, 3, 4])
            #expect(order.withLockedValue { Array($0.prefix(2)) } == [1, 2])
        }
    }

    /// Every task of every thread runs, those of one thread in their order.
    @Test func takesTasksFromManyThreads() async throws {
        try await withGroup { group in
            let loop = group.next()
            let seen = NIOLockedValueBox<[Int: Int]>([:])
            let isOrdered = NIOLockedValueBox(true)
            await withTaskGroup(of: Void.self) { tasks in
                for thread in 0..<8 {
                    tasks.addTask {
                        for number in 0..<1000 {
                            loop.execute {
                                #expect(loop.inEventLoop)
                                seen.withLockedValue { seen in
                                    if seen[thread, default: 0] != number { isOrdered.withLockedValue { $0 = false } }
                                    seen[thread] = number + 1
                                }
                            }
                        }
                    }
                }
            }
            try await loop.submit {}.get()
            #expect(seen.withLockedValue { $0.values.reduce(0, +) } == 8000)
            #expect(isOrdered.withLockedValue { $0 })
        }
    }

    @Test func timersRunInTheOrderOfTheirDeadlines() async throws {
        try await withGroup { group in
            let loop = group.next()
            let order = NIOLockedValueBox<[Int]>([])
            let base = NIODeadline.now()
            let timers = [30, 10, 20, 10].map { delay in
                loop.scheduleTask(deadline: base + .milliseconds(Int64(delay))) {
                    #expect(NIODeadline.now() >= base + .milliseconds(Int64(delay)))
                    order.withLockedValue { $0.append(delay) }
                }
            }
            let cancelled = loop.scheduleTask(deadline: base + .milliseconds(15)) {
                order.withLockedValue { $0.append(15) }
            }
            cancelled.cancel()
            await #expect(throws: EventLoopError.cancelled) { try await cancelled.futureResult.get() }
            for timer in timers { try await timer.futureResult.get() }
            #expect(order.withLockedValue { $0 } == [10, 10, 20, 30])
        }
    }

    @Test func repeatedTasksRepeatUntilCancelled() async throws {
        try await withGroup { group in
            let loop = group.next()
            let count = NIOLockedValueBox(0)
            let isOver = loop.makePromise(of: Void.self)
            loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(1), notifying: isOver) { task in
                if count.withLockedValue({
                    $0 += 1; return $0
                }) == 5 {
                    task.cancel()
                }
            }
            try await isOver.futureResult.get()
            #expect(count.withLockedValue { $0 } == 5)
        }
    }

    private final class CallbackHandler: NIOScheduledCallbackHandler, Sendable {
        let events = NIOLockedValueBox<[String]>([])
        let isCalled: EventLoopPromise<Void>

        init(_ isCalled: EventLoopPromise<Void>) {
            self.isCalled = isCalled
        }

        func handleScheduledCallback(eventLoop: some EventLoop) {
            eventLoop.preconditionInEventLoop()
            events.withLockedValue { $0.append("called") }
            isCalled.succeed(())
        }

        func didCancelScheduledCallback(eventLoop: some EventLoop) {
            eventLoop.preconditionInEventLoop()
            events.withLockedValue { $0.append("cancelled") }
            isCalled.succeed(())
        }
    }

    @Test(arguments: [true, false]) func callbacksComeOrAreCancelled(isCancelled: Bool) async throws {
        try await withGroup { group in
            let loop = group.next()
            let handler = CallbackHandler(loop.makePromise())
            let callback = try loop.scheduleCallback(in: isCancelled ? .hours(1) : .milliseconds(1), handler: handler)
            if isCancelled { callback.cancel() }
            try await handler.isCalled.futureResult.get()
            // Once only.
            callback.cancel()
            try await loop.submit {}.get()
            #expect(handler.events.withLockedValue { $0 } == [isCancelled ? "cancelled" : "called"])
        }
    }

    private actor Resident {
        nonisolated let loop: NativeEventLoop
        nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

        init(_ loop: NativeEventLoop) {
            self.loop = loop
        }

        func visit() async -> Bool {
            let isThere = loop.inEventLoop
            await Task.yield()
            return isThere && loop.inEventLoop
        }
    }

    @Test func actorsLiveOnIt() async throws {
        try await withGroup { group in
            let loop = try #require(group.next() as? NativeEventLoop)
            #expect(await Resident(loop).visit())
        }
    }

    @Test func groupsShareTheirWorkOut() async throws {
        try await withGroup(threads: 3) { group in
            #expect(Set((0..<6).map { _ in ObjectIdentifier(group.next()) }).count == 3)
            #expect(group.makeIterator().map { ObjectIdentifier($0) }.count == 3)
            let loop = group.next()
            let isOwn = try await loop.submit { group.any() === loop }.get()
            #expect(isOwn)
            #expect(NativeEventLoop.current == nil)
            let isCurrent = try await loop.submit { NativeEventLoop.current === loop }.get()
            #expect(isCurrent)
            #expect(loop.makeSucceededVoidFuture() === loop.makeSucceededVoidFuture())
        }
    }
}
