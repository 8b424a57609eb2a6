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
    /// What TLS needs; nil over a plain transport.
    private let tls: TLSReplayContexts?
    private let stream: SideStream
    let limits: ReplayLimits
    private let loop: any Loop
    let clock = ContinuousClock()
    /// Where the subject's server listens, or where its client connects to; -1 over a socketpair.
    private var listener: RawSocket?
    private var server: (any Server)?
    private var address: SocketAddress?
    /// The replay in progress.
    private var conversation: Conversation?
    private var observed: ObservedConnection?
    /// What stands on the loop's own transport: `observed` itself, or the subject's TLS below it.
    private var outer: ObservedConnection?
    /// The peer's TLS; nil over a plain transport.
    var secure: TLSFarEnd?
    private var cut = Cut.whole
    private var exceptions: [String] = []
    var overdue: [String] = []
    /// Whether the peer reads nothing now.
    var blocked = false
    /// What came from the subject, and whether the peer met the end of the stream or a reset.
    var received: [UInt8] = []
    var sawEnd = false
    var isPeerClosed = false
    var scratch = [UInt8](repeating: 0, count: RawSocket.readSize)

    init(
        _ subject: any ProtocolSubject, fixture: Fixture, side: Fixture.Side, executor: ExecutorKind,
        provider: LoopProvider, tls: TLSReplayContexts? = nil, limits: ReplayLimits
    ) throws {
        self.subject = subject
        self.fixture = fixture
        self.side = side
        self.executor = executor
        self.tls = tls
        self.limits = limits
        stream = fixture.stream(for: side)
        loop = try provider.makeLoop()
        loop.exceptionHandler = { [weak self] exception in
            self?.exceptions.append("\(exception.message) \(exception.error.map { "\($0)" } ?? "")")
        }
        guard executor != .socketpair else { return }
        let isTCP = executor != .unix
        let local: SocketAddress = isTCP ? .loopback(port: 0) : .unix(path: Self.temporaryPath())
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
            address = isTCP ? .loopback(port: try listener.port()) : local
        }
    }

    func finish() {
        server?.close()
        _ = try? turn(.zero)
        loop.closeLoop()
        listener?.close()
        if side == .client, case .unix(let path)? = address { try? FileManager.default.removeItem(atPath: path) }
    }

    private static func temporaryPath() -> String {
        let name = "anyloop-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0 ... .max)).sock"
        return "\(NSTemporaryDirectory())/\(name)"
    }

    func replay(_ cut: Cut) throws -> ReplayOutcome {
        self.cut = cut
        conversation = nil
        observed = nil
        outer = nil
        exceptions = []
        overdue = []
        blocked = cut.blockedUntil != nil && tls == nil
        received = []
        sawEnd = false
        isPeerClosed = false
        secure = try tls.map { try TLSFarEnd(facing: side, cut: cut, $0) }
        let peer = try connect(shrinking: cut.blockedUntil != nil)
        defer { close(peer) }
        let (conversation, ends) = try awaitConnection(peer)
        let bytes = cut.delivered(stream)
        try settle(peer, ends)
        for step in ReplayStep.steps(cut, stream: stream, deliveredCount: bytes.count)
        where !(secure?.hasBrokenOff ?? false) {
            try perform(step, bytes, peer, ends)
            try settle(peer, ends)
        }
        try breakOff(peer, ends)
        blocked = false
        try settle(peer, ends)
        try readAnswer(peer, ends)
        let trace = conversation.log.trace()
        let closed = sawEnd || ends.application.isLost
        let written = answer
        try depart(peer, ends)
        return ReplayOutcome(
            trace: trace, finalTrace: conversation.log.trace(), written: subject.normalise(written: written),
            rawWritten: written, closed: closed, hasEnded: ends.application.transport?.hasEnded ?? false,
            hasAborted: ends.application.transport?.hasAborted ?? false, callbacks: ends.application.callbacks,
            grammarViolation: ends.violation, exceptions: exceptions,
            overdue: overdue, tlsFault: secure?.fault)
    }

    // MARK: Connecting

    /// Turns the loop until the subject has its connection; over TLS the handshake is made.
    private func awaitConnection(_ peer: RawSocket) throws -> (Conversation, Ends) {
        let deadline = clock.now + limits.stepDeadline
        func late(_ what: String) -> SocketReplayError {
            SocketReplayError(text: "\(what) did not come within \(limits.stepDeadline)")
        }
        while outer?.transport == nil {
            try turn(.milliseconds(1))
            guard clock.now < deadline else { throw late("connectionMade") }
        }
        guard let conversation, let observed, let outer else { throw late("connectionMade") }
        let ends = Ends(application: observed, outer: outer)
        guard let secure else { return (conversation, ends) }
        while !secure.isEstablished || (observed.transport == nil && !secure.joinsHandshake) {
            for segment in secure.takeOutput() { try send(segment[...], to: peer, ends) }
            try turn(.milliseconds(1))
            try readAvailable(peer)
            guard clock.now < deadline, !outer.isLost, !sawEnd else { throw TLSReplayError.noHandshake(secure.fault) }
        }
        for segment in secure.takeOutput() { try send(segment[...], to: peer, ends) }
        blocked = cut.blockedUntil != nil
        return (conversation, ends)
    }

    private func makeProtocol() throws -> any StreamProtocol {
        let conversation = try subject.makeConversation(for: fixture, on: loop)
        let observed = ObservedConnection(conversation.streamProtocol)
        if cut.blockedUntil != nil { observed.highWatermark = 0 }
        self.conversation = conversation
        self.observed = observed
        let outer = try secure.map { ObservedConnection(try $0.wrap(observed, on: loop)) } ?? observed
        self.outer = outer
        return outer
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

    func turn(_ timeout: Duration) throws { try loop.runOnce(timeout: timeout) }
}

/// What kept a replay over real sockets from being made.
struct SocketReplayError: Error, CustomStringConvertible {
    var text: String
    var description: String { text }
}
