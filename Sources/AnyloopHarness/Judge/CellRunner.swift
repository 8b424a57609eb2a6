/// Runs cells: replays one fixture over one subject at each cut of a plan, and judges what comes of it.
///
/// Not for several threads at once. It keeps the reference runs of the fixture it was last asked for, so cells of
/// one fixture are best run one after another.
public final class CellRunner {
    /// How much a result keeps.
    public struct Limits: Sendable, Hashable {
        /// Failures described in a result; the others are counted.
        public var failuresKept = 3
        /// Events a trace may have for each byte of the stream, and over that.
        public var eventsPerByte = 4

        /// The defaults.
        public init() {}
    }

    private let seed: UInt64
    private let cutLimits: CutLimits
    let replayLimits: ReplayLimits
    private let limits: Limits
    var references = References()
    private var tlsContexts: TLSReplayContexts?

    /// A runner; the same seed gives the same cuts.
    public init(
        seed: UInt64 = 1, cutLimits: CutLimits = .standard, replayLimits: ReplayLimits = .standard,
        limits: Limits = Limits()
    ) {
        self.seed = seed
        self.cutLimits = cutLimits
        self.replayLimits = replayLimits
        self.limits = limits
    }

    /// Runs one cell; `loop` is needed by executors on real loops. `only` narrows it to the cut of that name.
    public func run(
        _ fixture: Fixture, _ subject: Subject, _ executor: ExecutorKind, loop: LoopProvider? = nil, _ plan: CutPlan,
        only cutName: String? = nil
    ) -> CellResult {
        let key = CellKey(
            fixture: fixture.id, subject: subject.name, executor: executor, mode: loop?.mode ?? .native,
            poller: executor.needsLoop ? loop?.poller : nil, plan: plan)
        guard subject.takes(fixture), subject.runs(on: executor) else {
            return CellResult(
                key: key, verdict: .skipped, note: "\(subject.name) does not take this fixture on \(executor.rawValue)")
        }
        guard executor.takes(plan) else {
            return CellResult(
                key: key, verdict: .skipped, note: "there is no ciphertext to cut on \(executor.rawValue)")
        }
        if plan != .whole, let known = subject.differences[fixture.id], known.dependsOnCuts {
            return CellResult(
                key: key, verdict: .skipped,
                note: "what \(subject.name) makes of this fixture depends on how it is cut, as its list says")
        }
        let resets = plan == .reset || fixture.stream(for: subject.side).endsWithReset
        if resets, executor == .socketpair || executor == .unix {
            return CellResult(key: key, verdict: .skipped, note: "a Unix socket cannot be reset")
        }
        if executor.needsLoop, loop == nil {
            return CellResult(key: key, verdict: .skipped, note: "\(executor.rawValue) needs a loop")
        }
        let clock = ContinuousClock()
        let start = clock.now
        var cuts = plan.cuts(of: fixture.stream(for: subject.side), seed: seed, limits: cutLimits)
        if let cutName { cuts = cuts.filter { $0.name == cutName } }
        guard !cuts.isEmpty else {
            let note = cutName.map { "no cut is named \($0)" } ?? "this plan has no cuts for the fixture"
            return CellResult(key: key, verdict: .skipped, note: note)
        }
        var tally = Tally(limit: limits.failuresKept)
        do {
            if executor == .parser, let parser = subject.parser {
                replay(fixture, subject, parser, cuts, &tally)
            } else if let streamProtocol = subject.streamProtocol {
                let replayer = try makeReplayer(fixture, subject, streamProtocol, executor, loop)
                defer { replayer.finish() }
                // A cut moves portions and watermarks about in memory, as a kernel does elsewhere.
                var liberties = loop?.liberties ?? Liberty.granted(to: .native)
                if executor.isOverTLS { liberties.insert(.noHalfClose) }
                try replay(fixture, subject, streamProtocol, replayer, cuts, liberties: liberties, &tally)
            }
        } catch {
            tally.fail(CellFailure(kind: .harness, cut: plan.rawValue, summary: "\(error)"))
        }
        let elapsed = clock.now - start
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        return CellResult(
            key: key, verdict: tally.failed == 0 ? .passed : .failed, replays: tally.replays, failed: tally.failed,
            failures: tally.failures, seconds: seconds)
    }

    private func makeReplayer(
        _ fixture: Fixture, _ subject: Subject, _ streamProtocol: any ProtocolSubject, _ executor: ExecutorKind,
        _ loop: LoopProvider?
    ) throws -> any ProtocolReplayer {
        guard executor.needsLoop, let loop else {
            return MemoryReplayer(
                streamProtocol, fixture: fixture, side: subject.side, tls: try contexts(for: executor),
                limits: replayLimits)
        }
        return try SocketReplayer(
            streamProtocol, fixture: fixture, side: subject.side, executor: executor, provider: loop,
            tls: try contexts(for: executor), limits: replayLimits)
    }

    /// Certificates and contexts for executors over TLS; made once.
    private func contexts(for executor: ExecutorKind) throws -> TLSReplayContexts? {
        guard executor.isOverTLS else { return nil }
        if let tlsContexts { return tlsContexts }
        let made = try TLSReplayContexts()
        tlsContexts = made
        return made
    }

    /// Counts replays and keeps the first failures.
    struct Tally {
        let limit: Int
        var replays = 0
        var failed = 0
        var failures: [CellFailure] = []

        init(limit: Int) { self.limit = limit }

        mutating func fail(_ failure: CellFailure) {
            failed += 1
            if failures.count < limit { failures.append(failure) }
        }

        mutating func count(_ failure: CellFailure?) {
            replays += 1
            if let failure { fail(failure) }
        }
    }
}

// MARK: Parsers

extension CellRunner {
    private func replay(
        _ fixture: Fixture, _ subject: Subject, _ parser: any ParserSubject, _ cuts: [Cut], _ tally: inout Tally
    ) {
        let executor = ParserExecutor(parser, fixture: fixture, side: subject.side)
        let whole = executor.trace(.whole)
        guard let plan = cuts.first?.plan else { return }
        if plan.keepsStream {
            let expectation = judge(fixture, subject, .init(events: whole.events, written: nil, closed: nil))
            for cut in cuts {
                let agrees = executor.replay(cut, matches: whole)
                tally.count(agrees ? expectation.map { $0.failure(cut) } : difference(executor.trace(cut), whole, cut))
            }
            return
        }
        let reference = TruncationReference(
            whole: whole.events, open: executor.trace(.whole, ending: .open).events,
            ended: executor.trace(.whole, ending: .fin).events)
        for cut in cuts {
            let trace = executor.trace(cut)
            var failure = law(trace, cut, reference, count: fixture.stream(for: subject.side).bytes.count)
            if failure == nil, cut.mutation != nil {
                var uncut = cut
                uncut.boundaries = []
                let other = executor.trace(uncut)
                if other != trace { failure = difference(trace, other, cut) }
            }
            tally.count(failure)
        }
    }

    /// What a shortened stream's trace is held against.
    struct TruncationReference {
        let whole: [TraceEvent]
        let endsAtClose: Bool

        init(whole: [TraceEvent], endsAtClose: Bool) {
            self.whole = whole
            self.endsAtClose = endsAtClose
        }

        /// From the whole stream as the fixture has it, without its end, and with one.
        init(whole: [TraceEvent], open: [TraceEvent], ended: [TraceEvent]) {
            endsAtClose = ended.last?.kind == .end && ended.count == open.count + 1
            self.whole = ended.last?.kind == .error ? open : ended
        }
    }

    func law(_ trace: Trace, _ cut: Cut, _ reference: TruncationReference, count: Int) -> CellFailure? {
        let events = trace.events
        func failure(_ text: String) -> CellFailure {
            let details = TraceText.difference(events, "this cut", reference.whole, "the whole stream").details
            return CellFailure(kind: .law, cut: cut.name, summary: text, details: details)
        }
        if let violation = TraceLaw.violation(in: events) { return failure(violation) }
        guard events.count <= limits.eventsPerByte * (count + 16) else {
            return failure("\(events.count) events from \(count) bytes")
        }
        guard cut.mutation == nil else { return nil }
        if let violation = TraceLaw.violation(
            ofTruncated: events, whole: reference.whole,
            endsAtClose: reference.endsAtClose && !cut.isReset && !cut.isFaulty)
        {
            return failure(violation)
        }
        if TraceLaw.endsWithinMessage(events) {
            return failure("the stream ended within a message, and nothing says so")
        }
        return nil
    }

    func difference(_ trace: Trace, _ reference: Trace, _ cut: Cut, to name: String = "whole") -> CellFailure {
        let (summary, details) = TraceText.difference(trace.events, cut.name, reference.events, name)
        return CellFailure(kind: .differential, cut: cut.name, summary: summary, details: details)
    }
}

// MARK: Expectations

extension CellRunner {
    /// A verdict on the reference, to be given to each cut that agrees with it.
    struct ExpectationFailure {
        let mismatch: ExpectationMatch.Mismatch

        func failure(_ cut: Cut) -> CellFailure {
            CellFailure(
                kind: .expectation, cut: cut.name, summary: mismatch.summary, details: mismatch.details)
        }
    }

    func judge(
        _ fixture: Fixture, _ subject: Subject, _ observation: ExpectationMatch.Observation
    ) -> ExpectationFailure? {
        guard let expectation = fixture.expectation(subject.side) else { return nil }
        var observation = observation
        observation.errorCodes = subject.errorCodes
        let mismatch = ExpectationMatch.mismatch(observation, expectation)
        guard let known = subject.differences[fixture.id] else { return mismatch.map(ExpectationFailure.init) }
        return known.judge(mismatch, observation).map(ExpectationFailure.init)
    }
}
