import NIOConcurrencyHelpers
import NIOCore

/// Scheduled tasks, repeated ones, and scheduled callbacks.
enum TimerCases {
    static let once: [NIOBatteryCase] = [
        NIOBatteryCase(
            "timer/not-before-the-deadline", "EventLoop.scheduleTask(deadline:): the task does not run before it"
        ) {
            let loop = try $0.loop()
            let deadline = NIODeadline.now() + .milliseconds(20)
            let ran = try await loop.scheduleTask(deadline: deadline) { NIODeadline.now() }.futureResult.value(
                "the task")
            try expect(ran >= deadline, "the task ran \(deadline - ran) too early")
        },
        NIOBatteryCase(
            "timer/not-before-the-delay", "EventLoop.scheduleTask(in:): the task does not run before that time is over"
        ) {
            let loop = try $0.loop()
            let start = NIODeadline.now()
            let (ran, inLoop) = try await loop.scheduleTask(in: .milliseconds(10)) {
                (NIODeadline.now(), loop.inEventLoop)
            }
            .futureResult.value("the task")
            try expect(ran - start >= .milliseconds(10), "the task ran after \(ran - start)")
            try expect(inLoop, "the task ran off the loop")
        },
        NIOBatteryCase(
            "timer/order-of-deadlines", "EventLoop.scheduleTask: tasks run at their deadlines, the earlier first"
        ) { stage in
            let loop = try stage.loop()
            let journal = Journal<Int>()
            try await loop.submit {
                let start = NIODeadline.now()
                for delay in [3, 1, 4, 2, 0] {
                    loop.scheduleTask(deadline: start + .milliseconds(Int64(delay))) { journal.add(delay) }
                }
            }.value("scheduling")
            try expectEqual(try await journal.wait("all", count: 5), [0, 1, 2, 3, 4], "the order")
        },
        NIOBatteryCase(
            "timer/same-deadline-in-order", "EventLoop.scheduleTask: tasks of one deadline run as they were scheduled"
        ) { stage in
            let loop = try stage.loop()
            let journal = Journal<Int>()
            let deadline = NIODeadline.now() + .milliseconds(5)
            for number in 0..<100 { loop.scheduleTask(deadline: deadline) { journal.add(number) } }
            try expectEqual(try await journal.wait("all", count: 100), Array(0..<100), "the order")
        },
        NIOBatteryCase("timer/in-the-past", "EventLoop.scheduleTask(deadline:): a passed deadline means at once") {
            let loop = try $0.loop()
            for deadline in [NIODeadline.distantPast, .uptimeNanoseconds(0), .now() - .seconds(1)] {
                try await loop.scheduleTask(deadline: deadline) {}.futureResult.value("the task of \(deadline)")
            }
        },
        NIOBatteryCase(
            "timer/farthest-future-waits", "EventLoop.scheduleTask(in:): any amount of time, even the longest"
        ) {
            let loop = try $0.loop()
            let scheduled = loop.scheduleTask(in: .nanoseconds(.max)) { "ran" }
            let distant = loop.scheduleTask(deadline: .distantFuture) { "ran" }
            try await loop.scheduleTask(in: .milliseconds(1)) {}.futureResult.value("a nearer task")
            scheduled.cancel()
            distant.cancel()
            try expectError(
                try await scheduled.futureResult.error("the task"), EventLoopError.cancelled, "the error")
            try expectError(try await distant.futureResult.error("the task"), EventLoopError.cancelled, "the error")
        },
        NIOBatteryCase("timer/error-fails-the-future", "Scheduled.futureResult: notified with the task's result") {
            let error = try await $0.loop().scheduleTask(in: .milliseconds(1)) { throw TestError.expected }
                .futureResult.error("the task")
            try expectError(error, TestError.expected, "the error")
        },
        NIOBatteryCase(
            "timer/cancelled-never-runs",
            "Scheduled.cancel: a task that did not begin does not; EventLoopError.cancelled"
        ) {
            let loop = try $0.loop()
            let journal = Journal<String>()
            let scheduled = loop.scheduleTask(in: .milliseconds(5)) { journal.add("cancelled") }
            scheduled.cancel()
            try expectError(
                try await scheduled.futureResult.error("the task"), EventLoopError.cancelled, "the error")
            try await loop.scheduleTask(in: .milliseconds(15)) { journal.add("after") }.futureResult.value(
                "a later task")
            try expectEqual(journal.entries, ["after"], "what ran")
        },
        NIOBatteryCase("timer/cancelled-on-the-loop", "Scheduled.cancel: may be called anywhere, the loop included") {
            let loop = try $0.loop()
            let scheduled = loop.scheduleTask(in: .hours(1)) {}
            try await loop.submit { scheduled.cancel() }.value("cancelling")
            try expectError(
                try await scheduled.futureResult.error("the task"), EventLoopError.cancelled, "the error")
        },
        NIOBatteryCase("timer/cancel-after-it-ran", "Scheduled.cancel: has no effect on a task that has begun") {
            let scheduled = try $0.loop().scheduleTask(in: .nanoseconds(0)) { "ran" }
            _ = try await scheduled.futureResult.value("the task")
            scheduled.cancel()
            try expectEqual(try await scheduled.futureResult.value("the future"), "ran", "the value after cancel")
        },
        NIOBatteryCase(
            "timer/cancelled-lets-go-of-its-closure", "Scheduled.cancel: what the task captured is released"
        ) { stage in
            let loop = try stage.loop()
            let released = Journal<String>()
            let scheduled = schedule(loop, holding: ReleaseProbe(released))
            scheduled.cancel()
            try await released.wait("the release of the closure", count: 1)
        },
        NIOBatteryCase("timer/scheduled-in-a-timer", "EventLoop.scheduleTask: may be called from a scheduled task") {
            let loop = try $0.loop()
            let inner = try await loop.scheduleTask(in: .milliseconds(1)) {
                loop.scheduleTask(in: .milliseconds(1)) { "inner" }
            }.futureResult.value("the outer task")
            try expectEqual(try await inner.futureResult.value("the inner task"), "inner", "the result")
        },
        NIOBatteryCase(
            "timer/an-earlier-one-wakes-the-loop", "EventLoop.scheduleTask: while the loop waits for a later"
        ) {
            let loop = try $0.loop()
            let later = loop.scheduleTask(in: .hours(1)) {}
            try await loop.scheduleTask(in: .milliseconds(5)) {}.futureResult.value("the earlier task")
            later.cancel()
        },
        NIOBatteryCase(
            "timer/a-thousand", "EventLoop.scheduleTask: every task runs once, at its deadline at the earliest"
        ) {
            stage in
            let loop = try stage.loop()
            let journal = Journal<Bool>()
            for number in 0..<1000 {
                let deadline = NIODeadline.now() + .microseconds(Int64(number * 7919 % 10_000))
                loop.scheduleTask(deadline: deadline) { journal.add(NIODeadline.now() >= deadline) }
            }
            let entries = try await journal.wait("1000 tasks", count: 1000)
            try expect(entries.allSatisfy { $0 }, "a task ran before its deadline")
        },
        NIOBatteryCase(
            "timer/among-cancelled", "Scheduled.cancel: of many timers, exactly those that were not cancelled run"
        ) {
            stage in
            let loop = try stage.loop()
            let journal = Journal<Int>()
            // On the loop, so that none can run before it is cancelled.
            try await loop.submit {
                let scheduled = (0..<1000).map { number in
                    loop.scheduleTask(in: .microseconds(Int64(number * 7919 % 5000))) { journal.add(number) }
                }
                for (number, task) in scheduled.enumerated() where number % 3 != 0 { task.cancel() }
            }.value("scheduling and cancelling")
            let ran = try await journal.wait("the timers", count: 334)
            try await loop.scheduleTask(in: .milliseconds(30)) {}.futureResult.value("a later timer")
            try expectEqual(Set(ran), Set((0..<1000).filter { $0 % 3 == 0 }), "the timers that ran")
            try expectEqual(journal.entries.count, 334, "the runs")
        },
        NIOBatteryCase("timer/flat-schedule", "EventLoop.flatScheduleTask: the future completes as the task's future") {
            let loop = try $0.loop()
            let promise = loop.makePromise(of: Int.self)
            let scheduled = loop.flatScheduleTask(in: .milliseconds(1)) { promise.futureResult }
            loop.scheduleTask(in: .milliseconds(3)) { promise.succeed(7) }
            try expectEqual(try await scheduled.futureResult.value("the task"), 7, "the result")
            let never = loop.flatScheduleTask(in: .hours(1)) { loop.makeSucceededFuture(0) }
            never.cancel()
            try expectError(try await never.futureResult.error("the task"), EventLoopError.cancelled, "the error")
        },
    ]

    static let repeated: [NIOBatteryCase] = [
        NIOBatteryCase(
            "repeated/until-it-cancels-itself", "EventLoop.scheduleRepeatedTask: runs again and again until cancelled"
        ) {
            let loop = try $0.loop()
            let journal = Journal<Int>()
            let count = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: loop)
            loop.scheduleRepeatedTask(initialDelay: .milliseconds(1), delay: .milliseconds(1)) { task in
                count.value += 1
                journal.add(count.value)
                if count.value == 5 { task.cancel() }
            }
            try await journal.wait("five runs", count: 5)
            try await loop.scheduleTask(in: .milliseconds(10)) {}.futureResult.value("a later task")
            try expectEqual(journal.entries, [1, 2, 3, 4, 5], "the runs")
        },
        NIOBatteryCase(
            "repeated/delay-between-runs",
            "EventLoop.scheduleRepeatedTask: the delay is between the end and the next run"
        ) {
            let loop = try $0.loop()
            let journal = Journal<NIODeadline>()
            let task = loop.scheduleRepeatedTask(initialDelay: .nanoseconds(0), delay: .milliseconds(5)) { _ in
                journal.add(.now())
            }
            let times = try await journal.wait("four runs", count: 4)
            task.cancel()
            for (one, next) in zip(times, times.dropFirst()) {
                try expect(next - one >= .milliseconds(5), "only \(next - one) between two runs")
            }
        },
        NIOBatteryCase("repeated/cancelled-at-once", "RepeatedTask.cancel: before the first run there is none") {
            let loop = try $0.loop()
            let journal = Journal<String>()
            let task = loop.scheduleRepeatedTask(initialDelay: .milliseconds(3), delay: .milliseconds(1)) { _ in
                journal.add("ran")
            }
            let done = loop.makePromise(of: Void.self)
            task.cancel(promise: done)
            try await done.futureResult.value("the cancellation")
            try await loop.scheduleTask(in: .milliseconds(10)) { journal.add("after") }.futureResult.value(
                "a later task")
            try expectEqual(journal.entries, ["after"], "what ran")
        },
        NIOBatteryCase(
            "repeated/notifies-once-it-is-over",
            "EventLoop.scheduleRepeatedTask(notifying:): the promise is fulfilled when cancellation is complete"
        ) {
            let loop = try $0.loop()
            let over = loop.makePromise(of: Void.self)
            let journal = Journal<String>()
            over.futureResult.whenComplete { _ in journal.add("notified") }
            loop.scheduleRepeatedTask(initialDelay: .nanoseconds(0), delay: .nanoseconds(0), notifying: over) { task in
                task.cancel()
                journal.add("run ends")
            }
            try expectEqual(try await journal.wait("both", count: 2), ["run ends", "notified"], "the order")
        },
        NIOBatteryCase(
            "repeated/an-error-does-not-end-it",
            "EventLoop.scheduleRepeatedAsyncTask: keeps repeating whether the future is fulfilled or failed"
        ) {
            let loop = try $0.loop()
            let over = loop.makePromise(of: Void.self)
            let journal = Journal<String>()
            let task = loop.scheduleRepeatedAsyncTask(
                initialDelay: .nanoseconds(0), delay: .milliseconds(1), notifying: over
            ) { _ in
                journal.add("run")
                return loop.makeFailedFuture(TestError.expected)
            }
            try await journal.wait("three runs", count: 3)
            task.cancel()
            try await over.futureResult.value("the end")
        },
        NIOBatteryCase(
            "repeated/async-waits-for-its-future",
            "EventLoop.scheduleRepeatedAsyncTask: the next run is scheduled once the future completed"
        ) {
            let loop = try $0.loop()
            let journal = Journal<String>()
            loop.scheduleRepeatedAsyncTask(initialDelay: .nanoseconds(0), delay: .nanoseconds(0)) { task in
                journal.add("begin")
                if journal.entries.count > 4 { task.cancel() }
                return loop.scheduleTask(in: .milliseconds(2)) { journal.add("end") }.futureResult
            }
            let entries = try await journal.wait("three runs", count: 6)
            try expectEqual(entries, ["begin", "end", "begin", "end", "begin", "end"], "the order")
        },
    ]

    static let callbacks: [NIOBatteryCase] = [
        NIOBatteryCase(
            "callback/called-on-the-loop", "NIOScheduledCallbackHandler.handleScheduledCallback: at the scheduled time"
        ) {
            let loop = try $0.loop()
            let probe = CallbackProbe()
            let deadline = NIODeadline.now() + .milliseconds(5)
            _ = try loop.scheduleCallback(at: deadline, handler: probe)
            try expectEqual(try await probe.journal.wait("the callback", count: 1), [.called(onLoop: true)], "the call")
            try expect(NIODeadline.now() >= deadline, "the callback came before its time")
            _ = try loop.scheduleCallback(in: .nanoseconds(0), handler: probe)
            try await probe.journal.wait("the second callback", count: 2)
        },
        NIOBatteryCase(
            "callback/cancelled", "NIOScheduledCallbackHandler.didCancelScheduledCallback: called if it is cancelled"
        ) {
            let loop = try $0.loop()
            let probe = CallbackProbe()
            let callback = try loop.scheduleCallback(in: .hours(1), handler: probe)
            callback.cancel()
            try expectEqual(try await probe.journal.wait("the callback", count: 1), [.cancelled], "the call")
            callback.cancel()
            try await loop.submit {}.value("a later task")
            try await loop.submit {}.value("a later task")
            try expectEqual(probe.journal.entries.count, 1, "calls after a second cancel")
        },
        NIOBatteryCase("callback/cancel-after-the-call", "NIOScheduledCallback.cancel: nothing once it was called") {
            let loop = try $0.loop()
            let probe = CallbackProbe()
            let callback = try loop.scheduleCallback(in: .nanoseconds(0), handler: probe)
            try await probe.journal.wait("the callback", count: 1)
            callback.cancel()
            try await loop.submit {}.value("a later task")
            try expectEqual(probe.journal.entries, [.called(onLoop: true)], "the calls")
        },
        NIOBatteryCase(
            "callback/one-handler-many-times", "EventLoop.scheduleCallback: a handler may be scheduled often"
        ) {
            let loop = try $0.loop()
            let probe = CallbackProbe()
            for delay in 1...4 { _ = try loop.scheduleCallback(in: .milliseconds(Int64(delay)), handler: probe) }
            let third = try loop.scheduleCallback(in: .hours(1), handler: probe)
            third.cancel()
            let entries = try await probe.journal.wait("all", count: 5)
            try expectEqual(entries.filter { $0 == .called(onLoop: true) }.count, 4, "calls")
            try expectEqual(entries.filter { $0 == .cancelled }.count, 1, "cancellations")
        },
        NIOBatteryCase(
            "callback/shutdown-cancels",
            "didCancelScheduledCallback: also if it was pending when the loop was shut down"
        ) {
            let group = try $0.group()
            let probe = CallbackProbe()
            _ = try group.next().scheduleCallback(in: .hours(1), handler: probe)
            try await $0.shutDown(group)
            try await probe.journal.wait("the cancellation", count: 1)
            try expectEqual(probe.journal.entries, [.cancelled], "the calls")
        },
    ]

    private static func schedule(_ loop: any EventLoop, holding probe: ReleaseProbe) -> Scheduled<Void> {
        loop.scheduleTask(in: .hours(1)) { probe.touch() }
    }
}

/// Says when it is let go.
final class ReleaseProbe: Sendable {
    private let journal: Journal<String>

    init(_ journal: Journal<String>) {
        self.journal = journal
    }

    func touch() {}

    deinit { journal.add("released") }
}

/// Writes down its callbacks.
final class CallbackProbe: NIOScheduledCallbackHandler, Sendable {
    enum Call: Equatable, Sendable {
        case called(onLoop: Bool)
        case cancelled
    }

    let journal = Journal<Call>()

    func handleScheduledCallback(eventLoop: some EventLoop) {
        journal.add(.called(onLoop: eventLoop.inEventLoop))
    }

    func didCancelScheduledCallback(eventLoop: some EventLoop) {
        journal.add(.cancelled)
    }
}
