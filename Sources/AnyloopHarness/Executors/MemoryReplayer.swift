import AnyloopCore
import AnyloopTesting

/// Replays over a memory transport, whose clock stands still until nothing else is left to do.
final class MemoryReplayer: ProtocolReplayer {
    private let subject: any ProtocolSubject
    private let fixture: Fixture
    private let stream: SideStream
    private let limits: ReplayLimits
    private let loop = MemoryLoop()

    init(_ subject: any ProtocolSubject, fixture: Fixture, side: Fixture.Side, limits: ReplayLimits) {
        self.subject = subject
        self.fixture = fixture
        self.limits = limits
        stream = fixture.stream(for: side)
    }

    func finish() { loop.closeLoop() }

    func replay(_ cut: Cut) throws -> ReplayOutcome {
        loop.reset()
        loop.exceptionHandler = nil
        let conversation = try subject.makeConversation(for: fixture, on: loop)
        let observed = ObservedConnection(conversation.streamProtocol)
        let (_, peer) = MemoryStream.pair(on: loop, observed)
        var overdue: [String] = []
        if cut.blockedUntil != nil {
            observed.highWatermark = 0
            peer.stopReading()
        }
        settle("connecting", &overdue)
        let bytes = cut.delivered(stream)
        for step in ReplayStep.steps(cut, stream: stream, deliveredCount: bytes.count) {
            switch step {
            case .piece(let range): peer.send(bytes.span.extracting(range))
            case .open, .control(.resume): peer.resumeReading()
            case .control(.pause): peer.stopReading()
            case .control(.fin): peer.finish()
            case .control(.rst): peer.reset()
            case .control(.wait(let duration)): loop.advance(by: duration)
            }
            settle("a step of the replay", &overdue)
        }
        peer.resumeReading()
        settle("the last answer", &overdue)
        let trace = conversation.log.trace()
        let closed = peer.end != nil
        let written = peer.received
        if !observed.isLost {
            peer.finish()
            settle("the peer's end of stream", &overdue)
        }
        patience(observed, &overdue)
        return ReplayOutcome(
            trace: trace, finalTrace: conversation.log.trace(), written: subject.normalise(written: written),
            rawWritten: written, closed: closed, hasAborted: observed.transport?.hasAborted ?? false,
            callbacks: observed.callbacks,
            grammarViolation: observed.grammar.violation?.description,
            exceptions: loop.exceptions.map { "\($0.message) \($0.error.map { "\($0)" } ?? "")" }, overdue: overdue)
    }

    private func settle(_ what: String, _ overdue: inout [String]) {
        if !loop.runUntilIdle(turnLimit: limits.memoryTurns) {
            overdue.append("\(what) took more than \(limits.memoryTurns) turns")
        }
    }

    /// Lets the clock run from deadline to deadline until the connection is gone.
    private func patience(_ observed: ObservedConnection, _ overdue: inout [String]) {
        let end = loop.now + limits.memoryPatience
        while !observed.isLost, let deadline = loop.nextDeadline, deadline <= end {
            loop.advance(by: deadline - loop.now)
            settle("a deadline", &overdue)
        }
        if !observed.isLost {
            overdue.append("connectionLost did not come within \(limits.memoryPatience) of the peer's end of stream")
        }
    }
}
