import CAnyloopCurl

/// Carries scenarios out with libcurl, blocking the thread it is called on.
public enum CurlClient {
    /// What is wrong with what curl saw of `scenario` at `target`; empty if nothing is.
    public static func run(_ scenario: Scenario, against target: ScenarioTarget) -> [String] {
        switch scenario.kind {
        case .sequence(let steps):
            let views = views(of: steps.map(\.step), target: target)
            guard views.count == steps.count else { return ["libcurl is out of memory"] }
            return zip(steps, views).enumerated().flatMap { index, pair in
                ScenarioCheck.failures(of: pair.0.checks, in: pair.1).map { "step \(index + 1): \($0)" }
            }
        case .parallel(let count, let step, let checks):
            var (failures, opened) = runParallel(count: count, step: step, checks: checks, target: target)
            if let wanted = scenario.connections, opened != wanted {
                failures.append("connections opened by all transfers are \(opened), expected \(wanted)")
            }
            return failures
        case .raw(let pieces, let answers, let closes):
            return runRaw(pieces: pieces, answers: answers, closes: closes, target: target)
        }
    }

    /// What one curl saw of the steps, one after the other.
    package static func views(of steps: [ScenarioStep], target: ScenarioTarget) -> [ScenarioView] {
        guard let handle = CurlHandle() else { return [] }
        let cookies = steps.contains { $0.cookies }
        return steps.map { step in
            handle.prepare(step, target: target, cookieJar: cookies)
            return handle.perform()
        }
    }

    private static func runParallel(
        count: Int, step: ScenarioStep, checks: [ScenarioCheck], target: ScenarioTarget
    ) -> (failures: [String], connections: Int) {
        let handles = (0..<count).compactMap { _ in CurlHandle() }
        let tally = ParallelTally(checks: checks)
        guard handles.count == count, let multi = unsafe anyloop_curl_multi_new(count) else {
            return (["libcurl is out of memory"], 0)
        }
        defer { unsafe anyloop_curl_multi_free(multi) }
        for handle in handles {
            handle.prepare(step, target: target, cookieJar: false)
            unsafe anyloop_curl_multi_add(multi, handle.pointer)
        }
        let context = unsafe Unmanaged.passUnretained(tally).toOpaque()
        let outcome = unsafe anyloop_curl_multi_run(
            multi, Int32(step.timeLimit + 20_000),
            { easy, code, context in
                guard let easy = unsafe easy, let context = unsafe context,
                    let handle = unsafe CurlHandle.of(easy)
                else { return }
                unsafe Unmanaged<ParallelTally>.fromOpaque(context).takeUnretainedValue().add(handle.finish(code: code))
            }, context)
        for handle in handles { unsafe anyloop_curl_multi_remove(multi, handle.pointer) }
        if outcome != 0 { tally.failures.append("the transfers did not end in time") }
        if tally.count != count { tally.failures.append("\(tally.count) of \(count) transfers ended") }
        return (Array(tally.failures.prefix(10)), tally.connections)
    }

    private static func runRaw(
        pieces: [String], answers: [String], closes: Bool, target: ScenarioTarget
    ) -> [String] {
        guard let handle = CurlHandle() else { return ["libcurl is out of memory"] }
        let code = handle.connectOnly(target)
        guard code == 0 else { return ["curl could not connect: \(code)"] }
        for piece in pieces {
            let code = handle.send(Array(piece.utf8), timeLimit: 5000)
            guard code == 0 else { return ["curl could not send: \(code)"] }
            if pieces.count > 1 { anyloop_curl_sleep(5) }
        }
        let (bytes, end) = handle.receiveAll(limit: 1 << 20, timeLimit: closes ? 10_000 : 500)
        var rest = String(decoding: bytes, as: UTF8.self)[...]
        for answer in answers {
            guard let found = rest.firstRange(of: answer) else {
                return [
                    "the answer lacks '\(answer)' after what was found before; it is: \(String(decoding: bytes, as: UTF8.self))"
                ]
            }
            rest = rest[found.upperBound...]
        }
        if closes, end != 0 { return ["the connection did not end cleanly: curl says \(end)"] }
        return []
    }
}

/// Counts what parallel transfers saw; filled by libcurl's callback on the same thread.
private final class ParallelTally {
    let checks: [ScenarioCheck]
    var count = 0
    var connections = 0
    var failures: [String] = []

    init(checks: [ScenarioCheck]) {
        self.checks = checks
    }

    func add(_ view: ScenarioView) {
        count += 1
        connections += view.connections
        for failure in ScenarioCheck.failures(of: checks, in: view) { failures.append("transfer \(count): \(failure)") }
    }
}
