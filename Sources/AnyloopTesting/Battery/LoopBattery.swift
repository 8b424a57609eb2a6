import AnyloopCore
import Synchronization

/// The cases of the loop battery.
enum LoopBattery {
    static let cases: [BatteryCase] = queue + timers + control

    /// The ready queue and other threads (rules 1 to 5, 13 to 18).
    private static let queue: [BatteryCase] = [
        BatteryCase("loop/call-soon-is-first-in-first-out", [1]) { stage in
            var order: [Int] = []
            for index in 0..<100 { stage.loop.callSoon { order.append(index) } }
            try expect(order.isEmpty, "a callback ran inside callSoon")
            try stage.wait("all callbacks") { order.count >= 100 }
            try stage.settle()
            try expectEqual(order, Array(0..<100), "the order")
        },
        BatteryCase("loop/queued-by-a-callback-runs-in-the-next-turn", [2]) { stage in
            var order: [Int] = []
            stage.loop.callSoon {
                order.append(1)
                stage.loop.callSoon {
                    order.append(3)
                    stage.loop.callSoon { order.append(4) }
                }
            }
            stage.loop.callSoon { order.append(2) }
            try stage.loop.runOnce(timeout: .zero)
            try expectEqual(order, [1, 2], "after one turn")
            try stage.loop.runOnce(timeout: .zero)
            try expectEqual(order, [1, 2, 3], "after two turns")
            try stage.loop.runOnce(timeout: .zero)
            try expectEqual(order, [1, 2, 3, 4], "after three turns")
        },
        BatteryCase("loop/cancelled-by-an-earlier-callback", [4, 5]) { stage in
            var order: [Int] = []
            var second: Handle?
            stage.loop.callSoon {
                order.append(1)
                second?.cancel()
            }
            second = stage.loop.callSoon { order.append(2) }
            stage.loop.callSoon { order.append(3) }
            try stage.settle()
            try expectEqual(order, [1, 3], "the order")
        },
        BatteryCase("loop/cancel-is-idempotent", [4]) { stage in
            var runs = 0
            let handle = stage.loop.callSoon { runs += 1 }
            try expect(!handle.isCancelled, "isCancelled before")
            try stage.settle()
            handle.cancel()
            handle.cancel()
            try expect(handle.isCancelled, "isCancelled also once it ran")
            try stage.settle()
            try expectEqual(runs, 1, "runs")
        },
        BatteryCase("loop/a-callback-that-throws", [14]) { stage in
            stage.expectsExceptions = true
            var order: [Int] = []
            stage.loop.callSoon { order.append(1) }
            stage.loop.callSoon { throw ReactionError(.data) }
            stage.loop.callSoon { order.append(2) }
            try stage.loop.runOnce(timeout: .zero)
            try expectEqual(order, [1, 2], "callbacks of the same turn")
            try expectEqual(stage.exceptions.count, 1, "reports")
            try expect(
                stage.exceptions[0].message.hasPrefix("Exception in callback"),
                "the report says '\(stage.exceptions[0].message)'")
            try expectEqual(stage.exceptions[0].error as? ReactionError, ReactionError(.data), "the reported error")
        },
        BatteryCase("loop/a-timer-that-throws", [14]) { stage in
            stage.expectsExceptions = true
            stage.loop.callLater(.milliseconds(1)) { throw ReactionError(.data) }
            try stage.wait("the report") { stage.exceptions.count == 1 }
        },
        BatteryCase("loop/exception-handler-may-be-replaced", [16]) { stage in
            var heard: [String] = []
            stage.loop.exceptionHandler = { heard.append("a " + $0.message) }
            stage.loop.callExceptionHandler(LoopException(message: "one"))
            stage.loop.exceptionHandler = { heard.append("b " + $0.message) }
            stage.loop.callExceptionHandler(LoopException(message: "two"))
            try expectEqual(heard, ["a one", "b two"], "what was heard")
        },
        BatteryCase("loop/threadsafe-from-another-thread", [18]) { stage in
            let remote = stage.loop.remote
            let shared = Shared()
            stage.host.runElsewhere {
                for index in 0..<100 {
                    remote.callSoonThreadsafe {
                        shared.order.withLock { $0.append(index) }
                        if remote.isOnLoopThread { shared.onLoop.withLock { $0 += 1 } }
                    }
                }
            }
            try stage.wait("all callbacks") { shared.order.withLock { $0.count } >= 100 }
            try expectEqual(shared.order.withLock { $0 }, Array(0..<100), "the order")
            try expectEqual(shared.onLoop.withLock { $0 }, 100, "callbacks on the loop's thread")
        },
        BatteryCase("loop/threadsafe-keeps-the-queue's-order", [18]) { stage in
            let shared = Shared()
            let remote = stage.loop.remote
            try stage.settle(1)
            for index in 0..<10 {
                remote.callSoonThreadsafe { shared.order.withLock { $0.append(index) } }
            }
            try stage.settle()
            try expectEqual(shared.order.withLock { $0 }, Array(0..<10), "the order")
        },
        BatteryCase("loop/threadsafe-elsewhere-is-not-on-the-loop's-thread", [18]) { stage in
            let remote = stage.loop.remote
            try stage.settle(1)
            let shared = Shared()
            stage.host.runElsewhere { shared.order.withLock { $0.append(remote.isOnLoopThread ? 1 : 0) } }
            try stage.wait("the other thread") { shared.order.withLock { $0.count } == 1 }
            try expectEqual(shared.order.withLock { $0 }, [0], "isOnLoopThread elsewhere")
        },
        BatteryCase("loop/threadsafe-wakes-a-waiting-loop", [18]) { stage in
            let remote = stage.loop.remote
            let shared = Shared()
            // Without the wake-up this turn would wait for the minute's end.
            let alarm = stage.loop.callLater(.seconds(60)) {}
            defer { alarm.cancel() }
            stage.host.runElsewhere { remote.callSoonThreadsafe { shared.order.withLock { $0.append(1) } } }
            try stage.wait("the callback") { shared.order.withLock { $0.count } == 1 }
        },
    ]

    /// Timers (rules 22 to 27).
    private static let timers: [BatteryCase] = [
        BatteryCase("loop/timers-by-deadline", [23]) { stage in
            var order: [Int] = []
            for delay in [5, 3, 9, 1, 7] {
                stage.loop.callLater(.milliseconds(delay)) { order.append(delay) }
            }
            try stage.wait("all timers") { order.count == 5 }
            try expectEqual(order, [1, 3, 5, 7, 9], "the order")
        },
        BatteryCase("loop/equal-deadlines-all-run", [23]) { stage in
            // Some keep the order of scheduling; asyncio promises none.
            var order: [Int] = []
            let when = stage.loop.now + .milliseconds(2)
            for index in 0..<20 { stage.loop.callAt(when) { order.append(index) } }
            try stage.wait("all timers") { order.count == 20 }
            try expectEqual(order.sorted(), Array(0..<20), "the timers that ran")
        },
        BatteryCase("loop/timers-are-never-early", [22, 26]) { stage in
            var early = 0
            var count = 0
            for delay in 0..<20 {
                let when = stage.loop.now + .microseconds(delay * 370)
                stage.loop.callAt(when) {
                    count += 1
                    if stage.loop.now < when { early += 1 }
                }
            }
            try stage.wait("all timers") { count == 20 }
            try expectEqual(early, 0, "timers that ran early")
        },
        BatteryCase("loop/a-delay-of-zero-or-less", [24]) { stage in
            var order: [Int] = []
            stage.loop.callLater(.zero) { order.append(2) }
            stage.loop.callLater(.seconds(-5)) { order.append(1) }
            stage.loop.callSoon { order.append(0) }
            try stage.wait("both timers") { order.count == 3 }
            try expectEqual(order, [0, 1, 2], "the order: queued callbacks, then timers by deadline")
        },
        BatteryCase("loop/a-cancelled-timer-never-runs", [27]) { stage in
            var ran: [Int] = []
            let timers = (0..<300).map { index in
                stage.loop.callLater(.microseconds(index * 10)) { ran.append(index) }
            }
            for index in timers.indices where index % 3 != 0 { timers[index].cancel() }
            timers[1].cancel()
            try stage.wait("the timers") { ran.count >= 100 }
            try stage.settle()
            try expectEqual(ran, Array(stride(from: 0, to: 300, by: 3)), "the timers that ran")
        },
        BatteryCase("loop/a-timer-cancelled-by-another-of-its-turn", [5, 27]) { stage in
            var order: [Int] = []
            let when = stage.loop.now + .milliseconds(1)
            var second: TimerHandle?
            stage.loop.callAt(when) {
                order.append(1)
                second?.cancel()
            }
            second = stage.loop.callAt(when) { order.append(2) }
            stage.loop.callAt(when) { order.append(3) }
            try stage.wait("the timers") { order.contains(3) }
            try expectEqual(order, [1, 3], "the order")
        },
        BatteryCase("loop/a-timer-knows-its-deadline", [4]) { stage in
            let when = stage.loop.now + .seconds(5)
            let timer = stage.loop.callAt(when) {}
            try expectEqual(timer.when, when, "when")
            timer.cancel()
            try expect(timer.isCancelled, "isCancelled")
        },
        BatteryCase("loop/timers-set-by-timers", [23]) { stage in
            var count = 0
            func again() {
                count += 1
                if count < 10 { stage.loop.callLater(.microseconds(100)) { again() } }
            }
            stage.loop.callLater(.zero) { again() }
            try stage.wait("ten timers") { count == 10 }
        },
        BatteryCase("loop/time-does-not-go-back", [22]) { stage in
            var last = stage.loop.now
            for _ in 0..<20 {
                try stage.settle(1)
                try expect(stage.loop.now >= last, "the clock went back")
                last = stage.loop.now
            }
        },
    ]

    /// Running, stopping, closing (rules 7, 8, 11, 12).
    private static let control: [BatteryCase] = [
        BatteryCase("loop/stop-lets-the-turn-finish", [7]) { stage in
            var order: [Int] = []
            stage.loop.callSoon {
                order.append(1)
                stage.loop.stop()
                stage.loop.callSoon { order.append(3) }
            }
            stage.loop.callSoon { order.append(2) }
            try stage.loop.run()
            try expectEqual(order, [1, 2], "after run")
            try stage.settle(1)
            try expectEqual(order, [1, 2, 3], "after one turn more")
        },
        BatteryCase("loop/stop-before-run", [8]) { stage in
            var order: [Int] = []
            stage.loop.callSoon {
                order.append(1)
                stage.loop.callSoon { order.append(2) }
            }
            stage.loop.callLater(.seconds(60)) { order.append(3) }.cancel()
            stage.loop.stop()
            try stage.loop.run()
            try expectEqual(order, [1], "after run: exactly one turn")
        },
        BatteryCase("loop/stop-by-a-timer", [7]) { stage in
            var stopped = false
            stage.loop.callLater(.milliseconds(2)) {
                stopped = true
                stage.loop.stop()
            }
            try stage.loop.run()
            try expect(stopped, "run returned before stop")
            stage.loop.callSoon { stage.loop.stop() }
            try stage.loop.run()
        },
        BatteryCase("loop/run-while-running", [11]) { stage in
            var texts: [String] = []
            stage.loop.callSoon {
                do { try stage.loop.run() } catch { texts.append("\(error)") }
                do { try stage.loop.runOnce(timeout: .zero) } catch { texts.append("\(error)") }
                stage.loop.stop()
            }
            try stage.loop.run()
            try expectEqual(texts, Array(repeating: "This event loop is already running", count: 2), "the errors")
        },
        BatteryCase("loop/closed", [12]) { stage in
            let remote = stage.loop.remote
            stage.loop.closeLoop()
            stage.loop.closeLoop()
            stage.loop.stop()
            var errors: [String] = []
            do { try stage.loop.run() } catch { errors.append("\(error)") }
            do { try stage.loop.runOnce(timeout: .zero) } catch { errors.append("\(error)") }
            do {
                _ = try stage.loop.createServer(on: [stage.host.serverAddress()], options: ServerOptions()) {
                    RecordingProtocol()
                }
            } catch { errors.append("\(error)") }
            try expectEqual(errors, Array(repeating: "Event loop is closed", count: 3), "the errors")
            try expect(!remote.callSoonThreadsafe {}, "callSoonThreadsafe on a closed loop")
        },
        BatteryCase("loop/closing-ends-what-is-open", [12]) { stage in
            let recorder = RecordingProtocol()
            _ = try stage.host.makePair(recorder)
            try stage.wait("connectionMade") { recorder.count(.made) == 1 }
            stage.loop.closeLoop()
            try expectEqual(recorder.trace.all, [.made, .lost("loop closed")], "the trace")
        },
    ]

    /// What callbacks of other threads write to.
    private final class Shared: Sendable {
        let order = Mutex<[Int]>([])
        let onLoop = Mutex(0)
    }
}
