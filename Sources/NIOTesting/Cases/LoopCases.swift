import Dispatch
import NIOConcurrencyHelpers
import NIOCore

/// Tasks of a loop, and the loops of a group.
enum LoopCases {
    static let tasks: [NIOBatteryCase] = [
        NIOBatteryCase("loop/execute-is-on-the-loop", "EventLoop.execute: submits a task to be executed by the loop") {
            let loop = try $0.loop()
            let journal = Journal<Bool>()
            loop.execute { journal.add(loop.inEventLoop) }
            try expectEqual(try await journal.wait("the task", count: 1), [true], "inEventLoop in the task")
        },
        NIOBatteryCase(
            "loop/in-event-loop-is-false-elsewhere",
            "EventLoop.inEventLoop: must never be true when the loop's context is not held"
        ) { stage in
            let group = try stage.group(2)
            let loops = group.makeIterator().map { $0 }
            try expectEqual(loops.count, 2, "loops of the group")
            try expect(!loops[0].inEventLoop, "inEventLoop was true on the case's thread")
            let sibling = try await loops[1].submit { loops[0].inEventLoop }.value("the task")
            try expect(!sibling, "inEventLoop was true on the sibling's thread")
        },
        NIOBatteryCase("loop/execute-keeps-order", "EventLoop.execute: tasks run in the order of their submission") {
            let loop = try $0.loop()
            let journal = Journal<Int>()
            for number in 0..<1000 { loop.execute { journal.add(number) } }
            let entries = try await journal.wait("1000 tasks", count: 1000)
            try expectEqual(entries, Array(0..<1000), "the order")
        },
        NIOBatteryCase(
            "loop/execute-in-a-task-comes-after-it", "EventLoop.execute: submits the task; it is not run on the spot"
        ) {
            let loop = try $0.loop()
            let journal = Journal<String>()
            loop.execute {
                loop.execute { journal.add("inner") }
                journal.add("outer")
            }
            try expectEqual(try await journal.wait("both", count: 2), ["outer", "inner"], "the order")
        },
        NIOBatteryCase(
            "loop/execute-from-many-threads", "EventLoopGroup: loops are Sendable, execute may be called from anywhere"
        ) {
            let loop = try $0.loop()
            let journal = Journal<[Int]>()
            for thread in 0..<4 {
                DispatchQueue.global().async {
                    for number in 0..<250 { loop.execute { journal.add([thread, number]) } }
                }
            }
            let entries = try await journal.wait("1000 tasks", count: 1000)
            for thread in 0..<4 {
                let numbers = entries.filter { $0[0] == thread }.map { $0[1] }
                try expectEqual(numbers, Array(0..<250), "the tasks of thread \(thread)")
            }
        },
        NIOBatteryCase(
            "loop/execute-keeps-order-across-threads", "EventLoop.execute: in the order of submission, whoever submits"
        ) {
            let loop = try $0.loop()
            for isIsolated in [false, true] {
                let (journal, gate) = (Journal<String>(), DispatchSemaphore(value: 0))
                let begun = Waiter<Void>()
                loop.execute {
                    begun.finish(.success(()))
                    gate.wait()
                    if isIsolated {
                        loop.assumeIsolated().execute { journal.add("the loop's") }
                    } else {
                        loop.execute { journal.add("the loop's") }
                    }
                }
                try await begun.value("the task")
                loop.execute { journal.add("another thread's") }
                gate.signal()
                try expectEqual(
                    try await journal.wait("both", count: 2), ["another thread's", "the loop's"], "the order")
            }
        },
        NIOBatteryCase("loop/submit-gives-the-result", "EventLoop.submit: the future is notified once the task ran") {
            let loop = try $0.loop()
            try expectEqual(try await loop.submit { 42 }.value("submit"), 42, "the result")
        },
        NIOBatteryCase("loop/submit-gives-the-error", "EventLoop.submit: an error of the task fails the future") {
            let error = try await $0.loop().submit { throw TestError.expected }.error("submit")
            try expectError(error, TestError.expected, "the error")
        },
        NIOBatteryCase("loop/flat-submit", "EventLoop.flatSubmit: the future completes as the task's future does") {
            let loop = try $0.loop()
            let promise = loop.makePromise(of: String.self)
            let future = loop.flatSubmit { promise.futureResult }
            promise.succeed("later")
            try expectEqual(try await future.value("flatSubmit"), "later", "the result")
            let failed = loop.flatSubmit { loop.makeFailedFuture(TestError.expected) as EventLoopFuture<Void> }
            try expectError(try await failed.error("flatSubmit"), TestError.expected, "the error")
        },
        NIOBatteryCase("loop/next-and-any-are-itself", "EventLoop.next, any: a loop is a group of itself alone") {
            let loop = try $0.loop()
            try expect(loop.next() === loop, "next() was another loop")
            try expect(loop.any() === loop, "any() was another loop")
            try expectEqual(loop.makeIterator().map { $0 === loop }, [true], "the iterator's loops being the loop")
        },
        NIOBatteryCase(
            "loop/timers-run-among-tasks",
            "EventLoop.scheduleTask: tasks that submit the next one without end do not keep a scheduled one waiting"
        ) {
            let loop = try $0.loop()
            let stop = NIOLockedValueBox(false)
            defer { stop.withLockedValue { $0 = true } }
            spin(loop, until: stop)
            try await loop.scheduleTask(in: .milliseconds(1)) {}.futureResult.value("a timer among tasks")
            try await loop.submit {}.value("a task among tasks")
        },
        NIOBatteryCase("loop/ready-made-futures", "EventLoop.makeSucceededFuture, makeFailedFuture: complete already") {
            let loop = try $0.loop()
            try expectEqual(try await loop.makeSucceededFuture("yes").value("the future"), "yes", "the value")
            try await loop.makeSucceededVoidFuture().value("the void future")
            let failed: EventLoopFuture<Int> = loop.makeFailedFuture(TestError.expected)
            try expectError(try await failed.error("the failed future"), TestError.expected, "the error")
            try expect(loop.makeSucceededVoidFuture().eventLoop === loop, "the void future is of another loop")
        },
        NIOBatteryCase("loop/now-advances", "EventLoop.now: the loop's current time") {
            let loop = try $0.loop()
            let times = try await loop.submit { [loop.now, NIODeadline.now(), loop.now] }.value("the times")
            try expect(times[0] <= times[2], "now went back")
            try expect(times[2] - times[1] < .seconds(60), "now is not near NIODeadline.now()")
        },
        NIOBatteryCase(
            "loop/isolated-view", "EventLoop.assumeIsolated: an isolated view submits without Sendable closures"
        ) { stage in
            let loop = try stage.loop()
            let journal = Journal<String>()
            try await loop.submit {
                let isolated = loop.assumeIsolated()
                isolated.execute { journal.add("executed") }
                isolated.submit { "submitted" }.assumeIsolated().whenSuccess { journal.add($0) }
                isolated.scheduleTask(in: .milliseconds(10)) { "scheduled" }.futureResult.assumeIsolated()
                    .whenSuccess { journal.add($0) }
            }.value("the task")
            try expectEqual(
                try await journal.wait("all three", count: 3), ["executed", "submitted", "scheduled"], "the order")
        },
    ]

    static let groups: [NIOBatteryCase] = [
        NIOBatteryCase("group/iterator-gives-every-loop", "EventLoopGroup.makeIterator: iterates over all its loops") {
            let loops = try $0.group(3).makeIterator().map { ObjectIdentifier($0) }
            try expectEqual(Set(loops).count, 3, "different loops")
        },
        NIOBatteryCase("group/next-is-round-robin", "EventLoopGroup.next: balances the load, commonly round robin") {
            let group = try $0.group(3)
            let all = Set(group.makeIterator().map { ObjectIdentifier($0) })
            let turns = (0..<6).map { _ in ObjectIdentifier(group.next()) }
            try expectEqual(Set(turns.prefix(3)), all, "the first three")
            try expectEqual(Array(turns.suffix(3)), Array(turns.prefix(3)), "the second three")
        },
        NIOBatteryCase(
            "group/any-is-the-current-loop", "EventLoopGroup.any: the current loop, if it belongs to the group"
        ) { stage in
            let group = try stage.group(2)
            for loop in group.makeIterator() {
                let same = try await loop.submit { group.any() === loop }.value("the task")
                try expect(same, "any() on a loop of the group was another loop")
            }
            let all = group.makeIterator().map { ObjectIdentifier($0) }
            try expect(all.contains(ObjectIdentifier(group.any())), "any() elsewhere was not of the group")
        },
        NIOBatteryCase(
            "group/any-of-another-group", "EventLoopGroup.any: the current loop only if it belongs to that group"
        ) { stage in
            let (one, other) = (try stage.group(), try stage.group(2))
            let all = other.makeIterator().map { ObjectIdentifier($0) }
            let any = try await one.next().submit { ObjectIdentifier(other.any()) }.value("the task")
            try expect(all.contains(any), "any() was not of the group that was asked")
        },
        NIOBatteryCase("group/loops-have-threads-of-their-own", "EventLoop: tied to one thread, each to its own") {
            let group = try $0.group(2)
            let loops = group.makeIterator().map { $0 }
            // Either would wait for the other forever on one thread.
            let (first, second) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let one = loops[0].submit {
                second.signal(); first.wait()
            }
            let two = loops[1].submit {
                first.signal(); second.wait()
            }
            try await one.value("the first loop's task")
            try await two.value("the second loop's task")
        },
        NIOBatteryCase(
            "group/make-future-with-task", "EventLoop.makeFutureWithTask: the future completes with the task's result"
        ) {
            let loop = try $0.loop()
            let value = loop.makeFutureWithTask {
                await Task.yield()
                return "done"
            }
            try expectEqual(try await value.value("the task"), "done", "the result")
            try expect(value.eventLoop === loop, "the future is of another loop")
            let failed = loop.makeFutureWithTask { () async throws -> Int in throw TestError.expected }
            try expectError(try await failed.error("the task"), TestError.expected, "the error")
        },
    ]

    /// Keeps a loop busy with tasks that submit the next.
    private static func spin(_ loop: any EventLoop, until stop: NIOLockedValueBox<Bool>) {
        loop.execute {
            if !stop.withLockedValue({ $0 }) { spin(loop, until: stop) }
        }
    }
}

/// An error of the cases' own.
enum TestError: Error, Equatable {
    case expected, other
}
