import AnyloopCore
import AnyloopTesting

/// Replays over a memory transport, whose clock stands still until nothing else is left to do.
final class MemoryReplayer: ProtocolReplayer {
    private let subject: any ProtocolSubject
    private let fixture: Fixture
    private let side: Fixture.Side
    /// What TLS needs; nil over a plain transport.
    private let tls: TLSReplayContexts?
    private let stream: SideStream
    private let limits: ReplayLimits
    private let loop = MemoryLoop()
    /// The peer's TLS in the replay in progress; nil over a plain transport.
    private var secure: TLSFarEnd?
    private var overdue: [String] = []

    init(
        _ subject: any ProtocolSubject, fixture: Fixture, side: Fixture.Side, tls: TLSReplayContexts? = nil,
        limits: ReplayLimits
    ) {
        self.subject = subject
        self.fixture = fixture
        self.side = side
        self.tls = tls
        self.limits = limits
        stream = fixture.stream(for: side)
    }

    func finish() { loop.closeLoop() }

    func replay(_ cut: Cut) throws -> ReplayOutcome {
        loop.reset()
        loop.exceptionHandler = nil
        overdue = []
        let conversation = try subject.makeConversation(for: fixture, on: loop)
        let observed = ObservedConnection(conversation.streamProtocol)
        if cut.blockedUntil != nil { observed.highWatermark = 0 }
        let peer = try connect(observed, cut)
        let bytes = cut.delivered(stream)
        for step in ReplayStep.steps(cut, stream: stream, deliveredCount: bytes.count) where !hasBrokenOff {
            perform(step, bytes, peer)
            settle(peer, "a step of the replay")
        }
        breakOff(cut, peer)
        peer.resumeReading()
        settle(peer, "the last answer")
        let trace = conversation.log.trace()
        let closed = peer.end != nil || secure?.sawEnd ?? false
        let written = secure?.received ?? peer.received
        if !observed.isLost {
            end(peer)
            settle(peer, "the peer's end of stream")
        }
        patience(observed, peer)
        let hasAborted = observed.transport?.hasAborted ?? false
        if peer.end == .finish, !hasAborted, !endsWithReset(cut) { secure?.noteOrderlyEnd() }
        return ReplayOutcome(
            trace: trace, finalTrace: conversation.log.trace(), written: subject.normalise(written: written),
            rawWritten: written, closed: closed, hasEnded: observed.transport?.hasEnded ?? false,
            hasAborted: hasAborted, callbacks: observed.callbacks,
            grammarViolation: observed.violation,
            exceptions: loop.exceptions.map { "\($0.message) \($0.error.map { "\($0)" } ?? "")" }, overdue: overdue,
            tlsFault: secure?.fault)
    }

    // MARK: Steps

    /// Whether a fault in the ciphertext has ended it.
    private var hasBrokenOff: Bool { secure?.hasBrokenOff ?? false }

    /// The peer of a connection to `observed`, over TLS once the handshake is made.
    private func connect(_ observed: ObservedConnection, _ cut: Cut) throws -> MemoryPeer {
        secure = try tls.map { try TLSFarEnd(facing: side, cut: cut, $0) }
        let (_, peer) = MemoryStream.pair(on: loop, try secure?.wrap(observed, on: loop) ?? observed)
        if cut.blockedUntil != nil, secure == nil { peer.stopReading() }
        settle(peer, "connecting")
        if let secure {
            guard secure.isEstablished, secure.joinsHandshake || observed.transport != nil else {
                throw TLSReplayError.noHandshake(secure.fault)
            }
            if cut.blockedUntil != nil { peer.stopReading() }
        }
        return peer
    }

    private func endsWithReset(_ cut: Cut) -> Bool {
        if case .recorded = cut.ending { stream.endsWithReset } else { cut.isReset }
    }

    private func perform(_ step: ReplayStep, _ bytes: [UInt8], _ peer: MemoryPeer) {
        if case .piece(let range) = step {
            guard let secure else { return peer.send(bytes.span.extracting(range)) }
            return send(secure.seal(bytes.span.extracting(range)), peer)
        }
        // A close_notify may share the last records' segment.
        if let secure, !step.isEnd { send(secure.flush(), peer) }
        switch step {
        case .piece: break
        case .open, .control(.resume): peer.resumeReading()
        case .control(.pause): peer.stopReading()
        case .control(.fin): end(peer)
        case .control(.rst): peer.reset()
        case .control(.wait(let duration)): loop.advance(by: duration)
        }
    }

    /// Sends ciphertext, each segment once the one before it is taken.
    private func send(_ segments: [[UInt8]], _ peer: MemoryPeer) {
        for segment in segments {
            peer.send(segment)
            run("a segment")
        }
    }

    /// Ends the peer's side: over TLS with a close_notify first, unless it is to be missing.
    private func end(_ peer: MemoryPeer) {
        if let secure { send(secure.end(), peer) }
        peer.finish()
    }

    /// Ends the peer's side where the cut says that the ciphertext breaks off.
    private func breakOff(_ cut: Cut, _ peer: MemoryPeer) {
        guard let secure else { return }
        send(secure.flush(), peer)
        if secure.endsWithoutNotice { peer.finish() }
    }

    /// Runs the loop until nothing moves, and lets the peer's TLS answer what came.
    private func settle(_ peer: MemoryPeer, _ what: String) {
        run(what)
        guard let secure else { return }
        while true {
            secure.take(peer.takeReceived())
            let answer = secure.takeOutput()
            guard !answer.isEmpty else { return }
            send(answer, peer)
        }
    }

    private func run(_ what: String) {
        if !loop.runUntilIdle(turnLimit: limits.memoryTurns) {
            overdue.append("\(what) took more than \(limits.memoryTurns) turns")
        }
    }

    /// Lets the clock run from deadline to deadline until the connection is gone.
    private func patience(_ observed: ObservedConnection, _ peer: MemoryPeer) {
        let end = loop.now + limits.memoryPatience
        while !observed.isLost, let deadline = loop.nextDeadline, deadline <= end {
            loop.advance(by: deadline - loop.now)
            settle(peer, "a deadline")
        }
        if !observed.isLost {
            overdue.append("connectionLost did not come within \(limits.memoryPatience) of the peer's end of stream")
        }
    }
}
