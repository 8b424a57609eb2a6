import AnyloopCore
import AnyloopNativeLoop
import AnyloopTestHosts
import AnyloopTesting
import NIOTestHosts
import Testing

@testable import AnyloopTLS

/// On which loop, and which side in which version is under test.
struct LifeSetup: Sendable, CustomStringConvertible {
    enum Below: String, CaseIterable, Sendable {
        case memory
        case native
        case compat
        case nio
    }

    var below: Below
    var tls: TLSSetup

    var description: String { "\(below)/\(tls)" }

    /// In memory with a manual clock, and on every loop over TCP; both sides, both versions.
    static let all = Below.allCases.flatMap { below in
        TLSSetup.Side.allCases.flatMap { side in
            TLSVersion.allCases.map { LifeSetup(below: below, tls: TLSSetup(side: side, version: $0)) }
        }
    }

    /// Those with a manual clock.
    static let memory = all.filter { $0.below == .memory }

    func host() throws -> any BatteryHost {
        switch below {
        case .memory: MemoryHost()
        case .native: try LoopHost(LoopSetup(.native(.epoll), wire: .tcp))
        case .compat: try LoopHost(LoopSetup(.compat(.epoll), wire: .tcp))
        case .nio: try LoopHost(LoopSetup(.nio, wire: .tcp))
        }
    }
}

/// One connection under test, and an engine at the raw end whose bytes the test may hold back or change.
final class TLSScene {
    let host: any BatteryHost
    let recorder: RecordingProtocol
    /// The connection under test.
    let connection: TLSConnection
    let raw: any BatteryPeer
    let far: EngineSide
    private(set) var handshake: Result<any StreamTransport, TransportError>?
    private(set) var exceptions: [LoopException] = []
    /// Whether what the engine says is carried over by itself.
    var carries = true

    init(
        _ setup: LifeSetup, options: TLSConnectionOptions = TLSConnectionOptions(),
        recorder: RecordingProtocol = RecordingProtocol(), above: (any StreamProtocol)? = nil
    ) throws {
        host = try setup.host()
        self.recorder = recorder
        var tell: (Result<any StreamTransport, TransportError>) -> Void = { _ in }
        let near = try setup.tls.near(host.loop, above ?? recorder, options: options, handshake: { tell($0) })
        connection = try #require(near as? TLSConnection)
        far = EngineSide(try setup.tls.farEngine())
        raw = try host.makePair(connection)
        tell = { [unowned self] in handshake = $0 }
        host.loop.exceptionHandler = { [unowned self] in exceptions.append($0) }
        far.advance()
    }

    deinit { host.tearDown() }

    var loop: any Loop { host.loop }
    var failure: TransportError? { if case .failure(let error)? = handshake { error } else { nil } }
    var tlsFailure: TLSError.Kind? { if case .tls(let error)? = failure { error.kind } else { nil } }

    /// Why the connection was lost, if TLS says so.
    var lostKind: TLSError.Kind? { if case .tls(let error)? = recorder.lostError { error.kind } else { nil } }

    /// A turn of the loop; then the engine takes what came, and answers.
    func step() throws {
        try host.step()
        let bytes = raw.takeReceived()
        if !bytes.isEmpty { far.receive(bytes) }
        guard carries else { return }
        let output = far.takeOutput()
        if !output.isEmpty { raw.send(output) }
    }

    func settle(_ count: Int = 8) throws { for _ in 0..<count { try step() } }

    func wait(_ what: String, until isDone: () -> Bool) throws {
        let end = ContinuousClock.now + .seconds(10)
        while !isDone() {
            guard ContinuousClock.now < end else { throw BatteryFailure("waited in vain for \(what)") }
            try step()
        }
    }

    /// Both sides are through with the handshake, and the protocol knows.
    func open() throws {
        try wait("the handshake") { recorder.count(.made) == 1 && far.isOpen && handshake != nil }
    }

    func waitForLost() throws { try wait("connectionLost") { recorder.isLost } }

    /// Has the engine say something, in records of its own.
    func say(_ bytes: [UInt8]) { _ = far.engine.write(bytes.span) }

    /// Has the engine say `close_notify`.
    func sayEnd() { _ = far.engine.close() }

    /// Moves the manual clock to `instant`, through every deadline before it.
    func moveClock(to instant: LoopInstant) throws {
        while loop.now < instant { try loop.runOnce(timeout: instant - loop.now) }
    }
}

extension TransportError {
    /// After how long it was given up, if it was.
    var timeout: Duration? { if case .timedOut(_, let after) = self { after } else { nil } }

    var isCancelled: Bool { if case .cancelled = self { true } else { false } }
}
