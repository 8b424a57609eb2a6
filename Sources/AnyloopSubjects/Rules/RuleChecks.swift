import Anyloop
public import AnyloopHarness
import Foundation

/// Rules of asyncio's contract that no trace can show, checked in Swift on every loop.
///
/// Each names its rule and is a cell of the matrix; `Fixtures/asyncio/rules.json` files those rules under `check`.
public enum RuleChecks {
    /// The checks, by the rules' numbers.
    public static let all: [LiveScenario] = [
        check("006-no-context", [6], "Callbacks see the task-locals of who runs the loop, tasks those of their maker") {
            loop, findings in try contextOfCallbacks(loop, &findings)
        },
        check("015-what-ends-a-run", [15], "No error ends a run, stop() does, and the queue is kept") {
            loop, findings in try endOfRun(loop, &findings)
        },
        check("017-callables", [17], "call_soon takes functions and nothing else") { loop, findings in
            try callables(loop, &findings)
        },
        check("025-delays", [25], "call_later takes a duration and call_at an instant, neither optional") {
            loop, findings in try delays(loop, &findings)
        },
        check("031-iterators", [31], "An iterator of an asynchronous sequence ends with its loop statement") {
            loop, findings in try iterators(loop, &findings)
        },
        LiveScenario(
            id: "rules/032-unclosed-loop", title: "A loop that is dropped without close warns and keeps nothing",
            subject: "loop", executor: executor, rules: [32]
        ) { provider in
            var findings = Findings()
            try unclosedLoops(provider, &findings)
            return findings.sentences
        },
        check("077-bytes", [77], "write takes spans, arrays and lists of arrays of bytes") { loop, findings in
            try bytesToWrite(loop, &findings)
        },
        check("079-copies", [79], "What is buffered stays what it was when the caller's memory changes") {
            loop, findings in try copies(loop, &findings)
        },
        check("099-no-context-of-transports", [99], "A transport's callbacks see the task-locals of who runs the loop")
        { loop, findings in try contextOfTransports(loop, &findings) },
        LiveScenario(
            id: "rules/100-dropped-transports", title: "Transports that nobody holds keep no descriptor",
            subject: "loop", executor: executor, rules: [100]
        ) { provider in
            var findings = Findings()
            try droppedTransports(provider, &findings)
            return findings.sentences
        },
        check("103-types", [103], "Loops, transports, servers and handles are what the protocols say") {
            loop, findings in try types(loop, &findings)
        },
    ]

    /// The name of these cells' executor.
    static let executor = "check"

    /// A check on a loop of its own, which is closed after it.
    private static func check(
        _ name: String, _ rules: [Int], _ title: String,
        _ body: @escaping @Sendable (any TaskLoop, inout Findings) throws -> Void
    ) -> LiveScenario {
        LiveScenario(id: "rules/\(name)", title: title, subject: "loop", executor: executor, rules: rules) { provider in
            let loop = try taskLoop(provider)
            defer { loop.closeLoop() }
            var findings = Findings()
            try body(loop, &findings)
            return findings.sentences
        }
    }

    static func taskLoop(_ provider: LoopProvider) throws -> any TaskLoop {
        guard let loop = try provider.makeLoop() as? any TaskLoop else {
            throw LiveScenario.Unsupported("\(provider.name) runs no tasks (`TaskLoop`)")
        }
        return loop
    }
}

/// What a check saw amiss, in sentences.
struct Findings {
    private(set) var sentences: [String] = []

    /// Notes `sentence` unless `holds`.
    mutating func expect(_ holds: Bool, _ sentence: @autoclosure () -> String) {
        if !holds { sentences.append(sentence()) }
    }

    /// Notes what `thing` is instead of what was expected.
    mutating func equal<Value: Equatable>(_ thing: String, _ got: Value, _ expected: Value) {
        expect(got == expected, "\(thing): expected \(expected), found \(got)")
    }
}

extension Loop {
    /// Runs turns until `condition` holds, at most for 5 s; whether it holds.
    func turns(until condition: () -> Bool) throws -> Bool {
        let patience = ContinuousClock.now + .seconds(5)
        while !condition(), ContinuousClock.now < patience { try runOnce(timeout: .milliseconds(20)) }
        return condition()
    }
}

/// The descriptors of this process.
enum OpenDescriptors {
    /// How many there are; other threads may hold a few more or fewer from one look to the next.
    static func count() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/dev/fd").count }

    /// Whether there are at most a few more than `before`; leaks come in dozens where this is asked.
    static func areBack(to before: Int) throws -> Bool { try count() < before + 10 }
}
