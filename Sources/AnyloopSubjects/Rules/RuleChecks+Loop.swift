import Anyloop
import AnyloopHarness
import Synchronization

/// A value that Swift tasks carry, for the checks of contexts.
private enum Caller {
    @TaskLocal static var name = "nobody"
}

/// A name from any thread.
private final class Noted: Sendable {
    let name = Mutex<String?>(nil)
}

/// Says when it goes.
private final class Held {
    private let gone: () -> Void

    init(gone: @escaping () -> Void) {
        self.gone = gone
    }

    deinit { gone() }
}

/// Counts from 1 without an end.
private struct Numbers: AsyncSequence {
    struct Iterator: AsyncIteratorProtocol {
        let held: Held
        var last = 0

        mutating func next() async -> Int? {
            last += 1
            return last
        }
    }

    let makeHeld: () -> Held

    func makeAsyncIterator() -> Iterator { Iterator(held: makeHeld()) }
}

extension RuleChecks {
    /// Rule 6. asyncio copies the context of who schedules; what Swift has instead follows the language's rules.
    static func contextOfCallbacks(_ loop: any TaskLoop, _ findings: inout Findings) throws {
        var seen: [String: String] = [:]
        // A callback from any thread may capture nothing that lives on one.
        let noted = Noted()
        Caller.$name.withValue("scheduler") {
            loop.callSoon { seen["callSoon"] = Caller.name }
            loop.callLater(.zero) { seen["callLater"] = Caller.name }
            loop.remote.callSoonThreadsafe { noted.name.withLock { $0 = Caller.name } }
        }
        let ran = try Caller.$name.withValue("runner") {
            try loop.turns(until: { seen.count == 2 && noted.name.withLock { $0 != nil } })
        }
        seen["callSoonThreadsafe"] = noted.name.withLock { $0 }
        findings.expect(ran, "the callbacks did not run within 5 seconds")
        for (call, name) in seen.sorted(by: { $0.key < $1.key }) {
            findings.equal("what a callback of \(call) sees", name, "runner")
        }
        let task = Caller.$name.withValue("maker") { loop.createTask { Caller.name } }
        findings.equal("what a task sees", try loop.runUntilComplete(task), "maker")
    }

    /// Rule 99: the same of a transport's callbacks.
    static func contextOfTransports(_ loop: any TaskLoop, _ findings: inout Findings) throws {
        var seen: [String] = []
        let pair = try Caller.$name.withValue("runner") {
            try LoopedPair(on: loop) { server, _ in server.heard = { seen.append("\($0): \(Caller.name)") } }
        }
        guard let pair else { return findings.expect(false, LoopedPair.missing) }
        Caller.$name.withValue("writer") { pair.client.transport?.write(Array("hello".utf8)) }
        let arrived = try Caller.$name.withValue("runner") { try loop.turns(until: { !pair.server.received.isEmpty }) }
        findings.expect(arrived, "what was written did not arrive within 5 seconds")
        Caller.$name.withValue("closer") { pair.server.transport?.close() }
        let ended = try Caller.$name.withValue("runner") { try loop.turns(until: { pair.server.isLost }) }
        findings.expect(ended, "the connection did not end within 5 seconds of its close")
        let expected = ["connectionMade", "dataReceived", "connectionLost"].map { "\($0): runner" }
        findings.equal("what the callbacks see", seen, expected)
    }

    /// Rule 15: Python's SystemExit and KeyboardInterrupt pass every handler; of Swift's errors none does.
    static func endOfRun(_ loop: any TaskLoop, _ findings: inout Findings) throws {
        var ran: [String] = []
        var told: [String] = []
        loop.exceptionHandler = { told.append($0.message) }
        loop.callSoon {
            ran.append("throws")
            throw CancellationError()
        }
        loop.callSoon {
            ran.append("stops")
            loop.callSoon { ran.append("queued") }
            loop.stop()
        }
        loop.callSoon { ran.append("same turn") }
        try loop.run()
        findings.equal("what ran until stop()", ran, ["throws", "stops", "same turn"])
        findings.equal("what the exception handler heard", told, ["Exception in callback"])
        loop.callSoon { loop.stop() }
        try loop.run()
        findings.equal("what ran altogether", ran, ["throws", "stops", "same turn", "queued"])
    }

    /// Rule 17: what is not callable does not compile; the types say so.
    static func callables(_ loop: any TaskLoop, _ findings: inout Findings) throws {
        typealias Callback = () throws -> Void
        let soon: (@escaping Callback) -> Handle = { loop.callSoon($0) }
        findings.equal("what call_soon takes", "\(CallTypes.soon(loop))", "\(Callback.self)")
        var count = 0
        for isDebug in [false, true] {
            (loop as? any DebugLoop)?.isDebug = isDebug
            _ = soon { count += 1 }
        }
        findings.expect(try loop.turns(until: { count == 2 }), "\(count) of 2 callbacks ran within 5 seconds")
    }

    /// Rule 25: there is no value but a duration or an instant that could be passed.
    static func delays(_ loop: any TaskLoop, _ findings: inout Findings) throws {
        findings.equal("what call_later takes", "\(CallTypes.later(loop))", "\(Duration.self)")
        findings.equal("what call_at takes", "\(CallTypes.at(loop))", "\(LoopInstant.self)")
        var count = 0
        loop.callLater(.seconds(-1)) { count += 1 }
        loop.callAt(loop.now) { count += 1 }
        findings.expect(try loop.turns(until: { count == 2 }), "\(count) of 2 timers ran within 5 seconds")
    }

    /// Rule 31: no hook is needed, since what an iterator holds goes with it.
    static func iterators(_ loop: any TaskLoop, _ findings: inout Findings) throws {
        var gone = 0
        let numbers = Numbers { Held { gone += 1 } }
        try loop.runUntilComplete {
            for await number in numbers where number == 2 { break }
        }
        findings.equal("iterators that were let go after a break", gone, 1)
        let task = loop.createTask {
            for await _ in numbers { try await loop.sleep(for: .zero) }
        }
        loop.callSoon { task.cancel() }
        findings.expect(
            try loop.turns(until: { task.isDone }), "a cancelled task that iterates did not end within 5 seconds")
        // The task itself is let go of in a turn of its own.
        _ = try loop.turns(until: { gone == 2 })
        findings.equal("iterators that were let go after a cancellation", gone, 2)
    }

    /// Rule 32.
    static func unclosedLoops(_ provider: LoopProvider, _ findings: inout Findings) throws {
        let before = try OpenDescriptors.count()
        let count = 20
        for closes in [false, true] {
            var lines: [String] = []
            for _ in 0..<count {
                let loop = try provider.makeLoop()
                guard let watched = loop as? any DebugLoop else {
                    loop.closeLoop()
                    throw LiveScenario.Unsupported("\(provider.name) has no log (`DebugLoop`)")
                }
                watched.logHandler = { lines.append("\($0.level.rawValue) \($0.message)") }
                loop.callSoon {}
                try loop.runOnce(timeout: .zero)
                if closes { loop.closeLoop() }
            }
            let warning = "WARNING unclosed event loop"
            findings.equal(
                closes ? "what closed loops log" : "what unclosed loops log", lines,
                closes ? [] : Array(repeating: warning, count: count))
        }
        findings.expect(
            try OpenDescriptors.areBack(to: before), "\(2 * count) loops that are gone left descriptors open")
    }
}

/// The types that the loop's calls take, as the compiler knows them.
private enum CallTypes {
    static func soon<Some: Loop>(_ loop: Some) -> Any.Type { first(of: loop.callSoon) }
    static func later<Some: Loop>(_ loop: Some) -> Any.Type { first(of: loop.callLater) }
    static func at<Some: Loop>(_ loop: Some) -> Any.Type { first(of: loop.callAt) }

    private static func first<Argument, Value>(of call: (Argument) -> Value) -> Any.Type { Argument.self }
    private static func first<Argument, Callback, Value>(of call: (Argument, Callback) -> Value) -> Any.Type {
        Argument.self
    }
}
