import NIOConcurrencyHelpers
import NIOCore

/// Promises and futures of loops, across loops.
enum FutureCases {
    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase(
            "future/calls-back-on-its-loop",
            "EventLoopFuture: callbacks run on the future's loop, wherever it is completed"
        ) {
            stage in
            let loop = try stage.loop()
            let journal = Journal<Bool>()
            let promise = loop.makePromise(of: Int.self)
            promise.futureResult.whenComplete { _ in journal.add(loop.inEventLoop) }
            promise.succeed(1)
            promise.futureResult.whenComplete { _ in journal.add(loop.inEventLoop) }
            let other = try stage.loop().makePromise(of: Void.self)
            other.futureResult.whenComplete { _ in journal.add(other.futureResult.eventLoop.inEventLoop) }
            loop.execute { other.succeed(()) }
            try expectEqual(
                try await journal.wait("three callbacks", count: 3), [true, true, true], "being on the loop")
        },
        NIOBatteryCase("future/callbacks-in-order", "EventLoopFuture.whenComplete: in the order of registration") {
            let loop = try $0.loop()
            let journal = Journal<Int>()
            let promise = loop.makePromise(of: Void.self)
            for number in 0..<10 { promise.futureResult.whenComplete { _ in journal.add(number) } }
            promise.succeed(())
            try expectEqual(try await journal.wait("all", count: 10), Array(0..<10), "the order")
        },
        NIOBatteryCase(
            "future/done-on-the-loop-calls-at-once", "EventLoopFuture.whenComplete: complete already, it calls at once"
        ) {
            let loop = try $0.loop()
            let order = try await loop.submit {
                let order = NIOLockedValueBox<[String]>([])
                let future = loop.makeSucceededFuture(1)
                future.whenSuccess { _ in order.withLockedValue { $0.append("callback") } }
                order.withLockedValue { $0.append("after") }
                return order.withLockedValue { $0 }
            }.value("the task")
            try expectEqual(order, ["callback", "after"], "the order")
        },
        NIOBatteryCase(
            "future/flat-map-across-loops", "EventLoopFuture.flatMap: the result is on the first future's loop"
        ) {
            let (one, two) = (try $0.loop(), try $0.loop())
            let journal = Journal<[Bool]>()
            let future = one.submit { 1 }.flatMap { value in two.submit { value + 1 } }.map { value in
                journal.add([one.inEventLoop, two.inEventLoop])
                return value
            }
            try expectEqual(try await future.value("the chain"), 2, "the value")
            try expectEqual(journal.entries, [[true, false]], "the loop of the last callback")
            try expect(future.eventLoop === one, "the future is of another loop")
        },
        NIOBatteryCase("future/hop", "EventLoopFuture.hop(to:): a future of the given loop with the same result") {
            let (one, two) = (try $0.loop(), try $0.loop())
            let hopped = one.submit { "value" }.hop(to: two)
            try expect(hopped.eventLoop === two, "the future is of another loop")
            let on = try await hopped.map { $0 == "value" && two.inEventLoop && !one.inEventLoop }.value("the callback")
            try expect(on, "the callback was not on the second loop")
            let failed = one.submit { throw TestError.expected }.hop(to: two)
            try expectError(try await failed.error("the failure"), TestError.expected, "the error")
        },
        NIOBatteryCase("future/and-across-loops", "EventLoopFuture.and: both values, on the first's loop") {
            let (one, two) = (try $0.loop(), try $0.loop())
            let both = one.scheduleTask(in: .milliseconds(2)) { 1 }.futureResult.and(two.submit { "2" })
            let value = try await both.map { "\($0.0)\($0.1)" }.value("both")
            try expectEqual(value, "12", "the values")
        },
        NIOBatteryCase("future/when-all-succeed", "EventLoopFuture.whenAllSucceed: values in the futures' order") {
            let group = try $0.group(3)
            let futures = (0..<30).map { number in
                group.next().scheduleTask(in: .microseconds(Int64(30 - number) * 50)) { number }.futureResult
            }
            let values = try await EventLoopFuture.whenAllSucceed(futures, on: group.next()).value("all")
            try expectEqual(values, Array(0..<30), "the values")
        },
        NIOBatteryCase("future/when-all-complete", "EventLoopFuture.whenAllComplete: every result, failures too") {
            let group = try $0.group(2)
            let futures = (0..<10).map { number in
                group.next().submit { if number % 2 == 0 { throw TestError.expected } else { return number } }
            }
            let results = try await EventLoopFuture.whenAllComplete(futures, on: group.next()).value("all")
            let shown = results.map { (try? $0.get()) ?? -1 }
            try expectEqual(shown, [-1, 1, -1, 3, -1, 5, -1, 7, -1, 9], "the results")
        },
        NIOBatteryCase("future/cascade-across-loops", "EventLoopFuture.cascade(to:): the promise gets the same result")
        {
            let (one, two) = (try $0.loop(), try $0.loop())
            let promise = two.makePromise(of: Int.self)
            one.submit { 3 }.cascade(to: promise)
            try expectEqual(try await promise.futureResult.value("the promise"), 3, "the value")
            let failing = two.makePromise(of: Void.self)
            one.submit { throw TestError.expected }.cascade(to: failing)
            try expectError(try await failing.futureResult.error("the promise"), TestError.expected, "the error")
        },
        NIOBatteryCase("future/wait-elsewhere", "EventLoopFuture.wait: blocks the calling thread until it is complete")
        {
            let loop = try $0.loop()
            let value = try await onThread("the wait") {
                try loop.scheduleTask(in: .milliseconds(5)) { "done" }.futureResult.wait()
            }
            try expectEqual(value, "done", "the value")
        },
        NIOBatteryCase(
            "future/with-task", "EventLoopPromise.completeWithTask: completed with an async closure's result"
        ) {
            let loop = try $0.loop()
            let promise = loop.makePromise(of: String.self)
            promise.completeWithTask { try await loop.submit { "from the loop" }.get() }
            try expectEqual(try await promise.futureResult.value("the promise"), "from the loop", "the value")
        },
        NIOBatteryCase(
            "future/first-completion-counts", "EventLoopPromise: completed once; later completions are ignored"
        ) {
            let promise = try $0.loop().makePromise(of: Int.self)
            promise.succeed(1)
            promise.fail(TestError.other)
            promise.succeed(2)
            try expectEqual(try await promise.futureResult.value("the promise"), 1, "the value")
        },
        NIOBatteryCase("future/fold-across-loops", "EventLoopFuture.fold: combines futures of any loops in order") {
            let group = try $0.group(3)
            let futures = ["b", "c", "d"].map { letter in group.next().submit { letter } }
            let first = group.next()
            let folded = first.makeSucceededFuture("a").fold(futures) { so, next in first.makeSucceededFuture(so + next)
            }
            try expectEqual(try await folded.value("the fold"), "abcd", "the value")
        },
        NIOBatteryCase("future/a-thousand-hops", "EventLoopFuture.flatMap: chains from loop to loop lose nothing") {
            let (one, two) = (try $0.loop(), try $0.loop())
            var future = one.makeSucceededFuture(0)
            for turn in 0..<1000 {
                let loop = turn % 2 == 0 ? two : one
                future = future.flatMap { value in loop.submit { value + 1 } }
            }
            try expectEqual(try await future.value("the chain"), 1000, "the value")
        },
    ]
}
