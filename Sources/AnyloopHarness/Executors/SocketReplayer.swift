import AnyloopCore
import AnyloopTesting
import Foundation

/// Replays over real sockets: one thread drives the raw end and turns the loop, step by step.
///
/// A piece is sent only when the subject has taken the one before it, so that cuts arrive as cuts. Waits end as soon
/// as what they wait for is there; each has a named limit.
final class SocketReplayer: ProtocolReplayer {
    private let subject: any ProtocolSubject
    private let fixture: Fixture
    private let side: Fixture.Side
    private let executor: ExecutorKind
    private let stream: SideStream
    private let limits: ReplayLimits
    private let loop: any Loop
    private let clock = ContinuousClock()
    /// Where the subject's server listens, or where its client connects to; -1 over a socketpair.
    private var listener: RawSocket?
    private var server: (any Server)?
    private var address: SocketAddress?
    /// The replay in progress.
    private var conversation: Conversation?
    private var observed: ObservedConnection?
    private var exceptions: [String] = []
    private var overdue: [String] = []

    init(
        _ subject: any ProtocolSubject, fixture: Fixture, side: Fixture.Side, executor: ExecutorKind,
        provider: LoopProvider, limits: ReplayLimits
    ) throws {
        self.subject = subject
        self.fixture = fixture
        self.side = side
        self.executor = executor
        self.limits = limits
        stream = fixture.stream(for: side)
        loop = try provider.makeLoop()
        loop.exceptionHandler = { [weak self] exception in
            self?.exceptions.append("\(exception.message) \(exception.error.map { "\($0)" } ?? "")")
        }
        guard executor != .socketpair else { return }
        let local: SocketAddress =
            executor == .tcp
            ? .loopback(port: 0)
            : .unix(
                path:
                    "\(NSTemporaryDirectory())/anyloop-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0 ... .max)).sock"
            )
        switch side {
        case .server:
            let server = try loop.createServer(on: [local], options: ServerOptions()) { [weak self] in
                guard let self else { throw TransportError.cancelled }
                return try self.makeProtocol()
            }
            self.server = server
            address = server.addresses.first
        case .client:
            let listener = try RawSocket.listening(on: local)
            self.listener = listener
            address = executor == .tcp ? .loopback(port: try listener.port()) : local
        }
    }

    func finish() {
        server?.close()
        _ = try? turn(.zero)
        loop.closeLoop()
        listener?.close()
        if side == .client, case .unix(let path)? = address { try? FileManager.default.removeItem(atPath: path) }
    }

    func replay(_ cut: Cut) throws -> ReplayOutcome {
        conversation = nil
        observed = nil
        exceptions = []
        overdue = []
        blocked = cut.blockedUntil != nil
        received = []
        sawEnd = false
        isPeerClosed = false
        let peer = try connect(shrinking: blocked)
        defer { close(peer) }
        let deadline = clock.now + limits.stepDeadline
        while conversation == nil || observed?.transport == nil, clock.now < deadline { try turn(.milliseconds(1)) }
        guard let conversation, let observed, observed.transport != nil else {
            throw SocketReplayError(text: "connectionMade did not come within \(limits.stepDeadline)")
        }
        let bytes = cut.delivered(stream)
        try settle(peer, observed)
        for step in ReplayStep.steps(cut, stream: stream, deliveredCount: bytes.count) {
            switch step {
            case .piece(let range): try send(bytes[range], to: peer, observed)
            case .open, .control(.resume): blocked = false
            case .control(.pause): blocked = true
            case .control(.fin):
                peer.shutdownWrite()
                try awaitEnd(peer, observed)
            case .control(.rst):
                reset(peer)
                try awaitEnd(peer, observed)
            case .control(.wait(let duration)): try turn(min(duration, limits.waitCap))
            }
            try settle(peer, observed)
        }
        blocked = false
        try settle(peer, observed)
        try readAnswer(peer, observed)
        let trace = conversation.log.trace()
        let closed = sawEnd || observed.isLost
        let written = received
        try depart(peer, observed)
        return ReplayOutcome(
            trace: trace, finalTrace: conversation.log.trace(), written: subject.normalise(written: written),
            rawWritten: written, closed: closed, hasAborted: observed.transport?.hasAborted ?? false,
            callbacks: observed.callbacks,
            grammarViolation: observed.grammar.violation?.description, exceptions: exceptions, overdue: overdue)
    }

    // MARK: Steps

    /// Whether the peer reads nothing now.
    private var blocked = false
    /// What the peer got, and whether it met the end of the stream or a reset.
    private var received: [UInt8] = []
    private var sawEnd = false
    private var isPeerClosed = false
    private var scratch = [UInt8](repeating: 0, count: RawSocket.readSize)

    private func close(_ peer: RawSocket) {
        guard !isPeerClosed else { return }
        isPeerClosed = true
        peer.resetOnClose()
        peer.close()
    }

    private func reset(_ peer: RawSocket) {
        sawEnd = true
        close(peer)
    }

    private func makeProtocol() throws -> any StreamProtocol {
        let conversation = try subject.makeConversation(for: fixture, on: loop)
        let observed = ObservedConnection(conversation.streamProtocol)
        if blocked { observed.highWatermark = 0 }
        self.conversation = conversation
        self.observed = observed
        return observed
    }

    /// The raw end of a connection whose other end the loop has, or is about to get.
    private func connect(shrinking: Bool) throws -> RawSocket {
        guard let address else {
            let (ours, theirs) = try RawSocket.pair()
            do {
                try loop.adoptConnection(descriptor: theirs.descriptor) { try makeProtocol() }
            } catch {
                ours.close()
                throw error
            }
            return ours
        }
        switch side {
        case .server: return try RawSocket.connected(to: address, smallWindow: shrinking)
        case .client:
            var failure: TransportError?
            loop.createConnection(to: .address(address), options: ConnectOptions()) { [unowned self] in
                try makeProtocol()
            } completion: { result in
                if case .failure(let error) = result { failure = error }
            }
            let deadline = clock.now + limits.stepDeadline
            while clock.now < deadline {
                try turn(.milliseconds(1))
                if let failure { throw failure }
                if let peer = try listener?.accept(at: address) { return peer }
            }
            throw SocketReplayError(text: "the client did not connect within \(limits.stepDeadline)")
        }
    }

    private func turn(_ timeout: Duration) throws { try loop.runOnce(timeout: timeout) }

    /// Sends a piece, and turns the loop until the subject has taken it or takes no more.
    private func send(_ bytes: ArraySlice<UInt8>, to peer: RawSocket, _ observed: ObservedConnection) throws {
        var rest = bytes
        let goal = observed.receivedCount + bytes.count
        let deadline = clock.now + limits.stepDeadline
        while !rest.isEmpty, !observed.isLost, !isPeerClosed {
            guard let sent = peer.send(rest.span) else { return }
            rest = rest.dropFirst(sent)
            if sent == 0 {
                let before = observed.activity
                try turn(.milliseconds(1))
                try readAvailable(peer)
                // A subject that takes no more while its own answers are stuck cannot go on: the window opens.
                if observed.activity == before { blocked = false }
            }
            guard clock.now < deadline else {
                overdue.append("sending a piece took longer than \(limits.stepDeadline)")
                return
            }
        }
        while observed.receivedCount < goal, takesMore(observed) {
            try turn(.milliseconds(1))
            try readAvailable(peer)
            guard clock.now < deadline else {
                overdue.append("the subject took a piece no sooner than in \(limits.stepDeadline)")
                return
            }
        }
    }

    /// Turns the loop until the subject has met the end of the stream, or reads no more.
    private func awaitEnd(_ peer: RawSocket, _ observed: ObservedConnection) throws {
        let deadline = clock.now + limits.stepDeadline
        while !observed.sawEnd, takesMore(observed) {
            try turn(.milliseconds(1))
            try readAvailable(peer)
            guard clock.now < deadline else {
                overdue.append("the subject met the end of the stream no sooner than in \(limits.stepDeadline)")
                return
            }
        }
    }

    private func takesMore(_ observed: ObservedConnection) -> Bool {
        guard !observed.isLost, let transport = observed.transport else { return false }
        return transport.isReading
    }

    /// Turns the loop until nothing moves.
    private func settle(_ peer: RawSocket, _ observed: ObservedConnection) throws {
        var idle = 0
        let deadline = clock.now + limits.stepDeadline
        while idle < limits.idleTurns {
            let before = (observed.activity, received.count)
            try turn(.zero)
            try readAvailable(peer)
            idle = before == (observed.activity, received.count) ? idle + 1 : 0
            guard clock.now < deadline else {
                overdue.append("coming to rest took longer than \(limits.stepDeadline)")
                return
            }
        }
    }

    /// Reads until the peer has all that the subject wrote, and its end if it ended.
    private func readAnswer(_ peer: RawSocket, _ observed: ObservedConnection) throws {
        guard let transport = observed.transport else { return }
        let deadline = clock.now + limits.stepDeadline
        while !sawEnd, !isPeerClosed, !transport.hasAborted,
            received.count < transport.writtenCount || transport.hasEnded
        {
            try turn(.zero)
            try settle(peer, observed)
            if !sawEnd, received.count < transport.writtenCount || transport.hasEnded { peer.waitReadable() }
            guard clock.now < deadline else {
                overdue.append("the subject's answer took longer than \(limits.stepDeadline)")
                return
            }
        }
    }

    private func readAvailable(_ peer: RawSocket) throws {
        guard !blocked, !sawEnd else { return }
        if peer.receive(into: &received, scratch: &scratch) { sawEnd = true }
    }

    /// Ends the peer's side and turns the loop until the connection is gone.
    private func depart(_ peer: RawSocket, _ observed: ObservedConnection) throws {
        if !isPeerClosed { peer.shutdownWrite() }
        var deadline = clock.now + limits.stepDeadline
        var resets = false
        while !observed.isLost {
            try turn(.milliseconds(1))
            try readAvailable(peer)
            guard clock.now >= deadline else { continue }
            guard !resets else {
                overdue.append("connectionLost did not come within \(limits.stepDeadline) of the peer's end of stream")
                return
            }
            resets = true
            reset(peer)
            deadline = clock.now + limits.stepDeadline
        }
        try turn(.zero)
    }
}

/// What kept a replay over real sockets from being made.
struct SocketReplayError: Error, CustomStringConvertible {
    var text: String
    var description: String { text }
}
