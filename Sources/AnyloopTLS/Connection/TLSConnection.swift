import AnyloopCore
import CAnyloopTLS

/// TLS between a transport and a protocol: a protocol to the transport below, a transport to the protocol above.
///
/// Needs nothing of the loop but timers and `callSoon`, so it is the same on every loop and over every stream
/// transport, another of these included. The protocol above hears nothing before the handshake is over (asyncio
/// rule 119), and nothing at all if it fails (rule 120).
final class TLSConnection {
    /// How far a connection is; it only ever goes down this list. What leads where is a table in `ARCHITECTURE.md`.
    ///
    /// From every phase the `connectionLost` of the transport below leads to the last. The protocol above hears of it
    /// then, or in the turn after a failure of TLS; if the handshake failed, not at all (rule 120; after an upgrade it
    /// does, rule 130).
    enum Phase {
        /// Made; the transport below is not connected yet.
        case idle
        case handshaking
        case open
        /// `close` was called and plaintext still waits.
        case closing
        /// `close_notify` is sent; the peer's is awaited.
        case shuttingDown
        /// TLS failed and the alert is sent; what comes is discarded.
        case lingering
        /// The transport below was closed or aborted; its `connectionLost` is awaited.
        case ending
        case over
    }

    /// Whether what comes is delivered.
    enum Reading {
        case flowing
        case paused
        /// `resumeReading` was called; what is held is delivered in the next turn, before anything else.
        case resuming
    }

    enum Role {
        case server(TLSServerContext)
        case client(TLSClientContext, serverName: String?, sessionKey: String?)
    }

    /// Bytes decrypted before they are given to the protocol.
    static let readSize = 32768
    /// Bytes encrypted before they are given to the transport below.
    static let writeSize = 131_072
    /// Ciphertext that is kept while reading is paused before the transport below is paused, too (rule 125).
    static let heldHighLimit = 262_144
    /// From so much on it goes on.
    static let heldLowLimit = 65536

    let loop: any Loop
    let role: Role
    let options: TLSConnectionOptions
    var phase = Phase.idle
    /// The transport below, kept after the end for its names.
    var lower: (any StreamTransport)?
    /// The protocol above.
    var streamProtocol: (any StreamProtocol)? {
        didSet { bufferedProtocol = streamProtocol as? any BufferedStreamProtocol }
    }
    /// The same object, where it lends its own buffer.
    private(set) var bufferedProtocol: (any BufferedStreamProtocol)?
    /// Told once how the handshake went.
    var onHandshake: ((Result<any StreamTransport, TransportError>) -> Void)?
    /// Whether the protocol above gets `connectionMade`: not after an upgrade (rule 130).
    let announcesConnection: Bool

    var engine: TLSEngine?
    var timer: TimerHandle?
    /// How the peer ended its side.
    var ending: TLSEnding?
    /// What `connectionLost` above gets, where that is not the lower transport's own.
    var cause: TransportError?
    /// Ciphertext that came while the protocol had paused reading: up to `heldHighLimit`, and what one receive brings.
    var held: [UInt8] = []
    var reading = Reading.flowing
    var isLowerReadingPaused = false
    /// The transport below came to its end while something was held.
    var hasLowerEnded = false
    /// The first bytes were seen and are no TLS but letters.
    var startsWithLetter: Bool?
    var discardedCount = 0

    var queue = PlainQueue()
    /// A callback of the transport below runs: what is written meanwhile goes out at its end.
    var isCollectingOutput = false
    var isLowerPaused = false
    var flow = WriteFlow(limits: .tls)
    /// What the handshake agreed on, from the end on, when the engine is gone.
    var lastInfo: TLSInfo?

    init(
        loop: any Loop, role: Role, options: TLSConnectionOptions, announcesConnection: Bool = true,
        protocol streamProtocol: any StreamProtocol,
        onHandshake: ((Result<any StreamTransport, TransportError>) -> Void)? = nil
    ) {
        self.loop = loop
        self.role = role
        self.options = options
        self.announcesConnection = announcesConnection
        self.streamProtocol = streamProtocol
        bufferedProtocol = streamProtocol as? any BufferedStreamProtocol
        self.onHandshake = onHandshake
    }

    // MARK: Handshake

    /// Goes on with the handshake as far as the bytes at hand allow.
    func advanceHandshake() {
        let engine: TLSEngine
        do throws(TLSError) { engine = try makeEngine() } catch { return failHandshake(.tls(error)) }
        switch engine.handshake() {
        case .done:
            sendOutput()
            completeHandshake()
        case .wants:
            sendOutput()
        case .closed:
            flushOutput()
            failHandshake(.tls(TLSError(.truncated, "the peer closed the connection during the TLS handshake")))
        case .failed:
            let error = engine.takeError()
            flushOutput()
            failHandshake(.tls(error))
        }
    }

    @discardableResult
    func makeEngine() throws(TLSError) -> TLSEngine {
        if let engine { return engine }
        let made: TLSEngine
        switch role {
        case .server(let context):
            made = try TLSEngine(server: context.handle)
        case .client(let context, let serverName, let sessionKey):
            made = try TLSEngine(client: context, serverName: serverName)
            if let sessionKey, let session = context.sessions.take(for: sessionKey) { made.resume(session) }
        }
        engine = made
        return made
    }

    private func completeHandshake() {
        guard phase == .handshaking else { return }
        stopTimer()
        phase = .open
        if announcesConnection {
            do { try streamProtocol?.connectionMade(self) } catch {
                // In asyncio it is called by the protocol below, whose own callback fails then.
                report("Fatal error: protocol.buffer_updated() call failed.", error)
                let cause = TransportError.callback(name: "connectionMade", error: error)
                tellHandshake(.failure(cause))
                return end(cause)
            }
        }
        tellHandshake(.success(self))
    }

    /// Ends the attempt: the protocol above hears nothing, whoever waits gets `error` (rule 120).
    func failHandshake(_ error: TransportError) {
        guard phase == .idle || phase == .handshaking else { return }
        if startsWithLetter == true, case .tls(let failure) = error, failure.kind == .plainText,
            !options.plainTextAnswer.isEmpty
        {
            lower?.write(options.plainTextAnswer)
        }
        phase = .lingering
        tellHandshake(.failure(error))
        // Who took over a live connection hears of its end (rule 130).
        if announcesConnection { streamProtocol = nil }
        linger(error)
    }

    /// Lets the peer read the alert: no more from us, and what comes is discarded for a while. The protocol above need
    /// not wait for that.
    private func linger(_ error: TransportError) {
        stopTimer()
        cause = cause ?? error
        dropQueue()
        flushOutput()
        if streamProtocol != nil { loop.callSoon { self.tellLost(self.cause) } }
        guard let lower, phase == .lingering, !lower.isClosing else { return }
        guard lower.canWriteEOF else { return lower.close() }
        lower.writeEOF()
        startTimer(TLSConnectionOptions.lingerTimeout) { connection in
            connection.lower?.abort()
        }
    }

    func tellHandshake(_ result: Result<any StreamTransport, TransportError>) {
        guard let tell = onHandshake else { return }
        onHandshake = nil
        tell(result)
    }

    /// Tells the protocol above that it is over, once.
    func tellLost(_ error: TransportError?) {
        guard let told = streamProtocol else { return }
        streamProtocol = nil
        do { try told.connectionLost(error) } catch {
            // In asyncio it is a callback of its own.
            loop.callExceptionHandler(
                LoopException(message: "Exception in callback connection_lost", error: error, handle: Handle {}))
        }
    }

    // MARK: Timers

    func startTimer(_ delay: Duration, _ action: @escaping (TLSConnection) -> Void) {
        timer?.cancel()
        timer = loop.callLater(delay) { [weak self] in
            guard let self else { return }
            self.timer = nil
            action(self)
        }
    }

    func stopTimer() {
        timer?.cancel()
        timer = nil
    }

    /// Bounds the time of a close, which begins anew as long as the peer takes what is queued for it.
    func limitShutdown(_ expire: @escaping (TLSConnection, TransportError) -> Void) {
        let unsent = unsentCount
        startTimer(options.shutdownTimeout) { connection in
            guard connection.unsentCount >= unsent else { return connection.limitShutdown(expire) }
            expire(connection, .timedOut(what: "the TLS shutdown", after: connection.options.shutdownTimeout))
        }
    }

    /// What the peer has not taken yet, on both sides of TLS.
    private var unsentCount: Int { queue.unsentCount + (lower?.writeBufferSize ?? 0) }

    // MARK: Failures

    func report(_ message: String, _ error: any Error) {
        loop.callExceptionHandler(
            LoopException(message: message, error: error, transport: self, protocolObject: streamProtocol))
    }

    /// What asyncio tells its logger.
    func warn(_ message: String) {
        (loop as? any DebugLoop)?.log(LoopLogRecord(level: .warning, message: message))
    }

    /// A callback above threw: the handler hears of it, the connection ends (rules 66, 74).
    func failCallback(_ name: String, _ error: any Error, message: String = "Fatal error on SSL protocol") {
        report(message, error)
        end(.callback(name: name, error: error))
    }

    /// Aborts the transport below; `connectionLost` above gets `error`.
    func end(_ error: TransportError?) {
        switch phase {
        case .over: return
        case .ending, .lingering:
            lower?.abort()
            return
        case .idle, .handshaking:
            streamProtocol = nil
            tellHandshake(.failure(error ?? .cancelled))
        case .open, .closing, .shuttingDown: break
        }
        stopTimer()
        cause = cause ?? error
        flushOutput()
        phase = .ending
        dropQueue()
        lower?.abort()
    }

    /// Drops what waits to be sent; the senders of files hear why.
    func dropQueue() {
        for file in queue.drop() { finish(file, .failure(cause ?? .cancelled)) }
    }

    /// TLS itself failed after the handshake: the peer gets the alert.
    func fail(_ error: TLSError) {
        switch phase {
        case .open, .closing:
            phase = .lingering
            linger(.tls(error))
        case .shuttingDown:
            // After our own close_notify only the peer's is of interest.
            endLower()
        case .idle, .handshaking, .lingering, .ending, .over: break
        }
    }

    /// Closes the transport below, which sends what it has; aborts it if that takes too long.
    func endLower() {
        guard phase != .ending, phase != .over else { return }
        flushOutput()
        phase = .ending
        limitShutdown { connection, error in
            connection.cause = connection.cause ?? error
            connection.lower?.abort()
        }
        lower?.close()
    }
}
