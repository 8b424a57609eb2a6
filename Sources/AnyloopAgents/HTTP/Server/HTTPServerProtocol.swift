import AnyloopCore
import AnyloopWire
import HTTPTypes

/// The server's side of one HTTP/1.1 connection (RFC 9112).
///
/// Requests are handled in their order, one at a time; what arrives behind the one in work waits, up to
/// `HTTPServerOptions.pendingInputLimit`. All responses made while one piece of input is worked off go out in
/// one send.
@safe
public final class HTTPServerProtocol: StreamProtocol {
    /// Where the connection is.
    enum Phase {
        /// Between requests; not a byte of the next one is here.
        case idle
        /// A part of a request's head is here.
        case head
        /// The handler has the request; the message has not ended.
        case body
        /// The request is complete; its response is not.
        case answering
        /// Our side has ended after an error; input is discarded so that the peer reads what we said.
        case lingering
        /// The transport is closing.
        case closing
        /// Another protocol has the transport.
        case handedOver
    }

    /// What becomes of a request's body.
    enum BodyMode {
        /// The handler has not said; input waits.
        case undecided
        /// It goes to the handler.
        case delivering
        /// The handler holds it up; input waits.
        case paused
        /// The handler is done without it: it is drained, up to `HTTPServerOptions.unreadBodyLimit`.
        case discarding
    }

    /// What there is a deadline for.
    enum Wait {
        case none, idle, header, body, handler, write, linger
    }

    let service: HTTPService
    var transport: (any StreamTransport)?
    var loop: (any Loop)?
    /// In memory of its own, so that no access is checked for overlap at run time: a fifth of a request's
    /// instructions. None overlaps, because the parser calls nobody.
    private let parserStorage: UnsafeMutablePointer<HTTP1Parser>
    var phase = Phase.idle
    var bodyMode = BodyMode.undecided
    var exchange: HTTPServerExchange?

    /// Input not worked off yet, from `pendingOffset`.
    var pending: [UInt8] = []
    var pendingOffset = 0

    /// Where this turn's output is collected; nil outside of it.
    var output: HTTPOutput?
    var isProcessing = false
    var isResumeScheduled = false
    /// The handler asked for more of the body while a turn was under way, perhaps after its last look at the input.
    var needsResume = false
    var isReadPaused = false
    var isWritePaused = false
    var peerEnded = false
    /// The response in work is the last one.
    var closesAfterResponse = false
    /// The peer may still be sending: close by lingering.
    var lingers = false
    /// The rest of the request's body is not waited for.
    var isBodyAbandoned = false
    var requestCount = 0
    /// Bytes drained of the body, or bytes discarded while lingering.
    var discarded = 0

    var hasTrailers = false
    /// Who takes the transport once this turn is over (phase `handedOver`).
    var successor: HTTPServerExchange.Successor?

    /// Whether TLS is below.
    private(set) var isSecure = false

    /// What `deadline` is for.
    var wait = Wait.none
    var isDeadlineStale = true
    var deadline = LoopInstant(nanoseconds: .max)
    var timer: TimerHandle?
    var timerFires = LoopInstant(nanoseconds: .max)
    /// What the peer had left to take when the write deadline was set.
    var writeBufferAtDeadline = 0

    init(service: HTTPService) {
        self.service = service
        let parser = HTTP1Parser(role: .requests, limits: service.options.limits, leniency: service.options.leniency)
        unsafe parserStorage = .allocate(capacity: 1)
        unsafe parserStorage.initialize(to: parser)
    }

    deinit {
        unsafe parserStorage.deinitialize(count: 1)
        unsafe parserStorage.deallocate()
    }

    var parser: HTTP1Parser {
        _read { yield unsafe parserStorage.pointee }
        _modify { yield unsafe &parserStorage.pointee }
    }

    // MARK: Callbacks

    /// Starts to wait for a request.
    public func connectionMade(_ transport: any StreamTransport) {
        self.transport = transport
        loop = transport.loop
        isSecure = transport.tls != nil
        service.add(self)
        updateDeadline()
    }

    /// Works off what it can and keeps the rest.
    public func dataReceived(_ data: Span<UInt8>) {
        switch phase {
        case .lingering: discardWhileLingering(data.count)
        case .closing, .handedOver: break
        case .idle, .head, .body, .answering:
            if isProcessing || pendingOffset < pending.count {
                keep(data)
            } else {
                process(data)
            }
        }
    }

    /// Keeps our side open for what is still to be answered; over TLS, which has no half of a connection, what is
    /// answered by now is sent and the rest given up.
    public func eofReceived() -> Bool {
        switch phase {
        case .lingering, .closing: return false
        case .handedOver: return true
        case .idle, .head, .body, .answering: break
        }
        peerEnded = true
        if pendingOffset == pending.count { processPending() }
        return phase != .closing && transport?.canWriteEOF == true
    }

    /// Tells the handler, and lets go of everything.
    public func connectionLost(_ error: TransportError?) {
        phase = .closing
        timer?.cancel()
        timer = nil
        service.remove(self)
        pending = []
        pendingOffset = 0
        transport = nil
        if let exchange {
            self.exchange = nil
            exchange.end(.connectionLost(error))
        }
        output = nil
        loop = nil
    }

    /// Holds back further requests and tells the handler's writes.
    public func pauseWriting() {
        isWritePaused = true
        updateDeadline()
    }

    /// Lets the handler write on, and takes up waiting requests.
    public func resumeWriting() {
        isWritePaused = false
        if let exchange { run(exchange) { try exchange.notifyWritable() } }
        if !isProcessing { resumeInput() }
    }

    // MARK: From the service

    func shutDown() {
        switch phase {
        case .idle where pendingOffset == pending.count: turn { closeNow() }
        case .idle, .head, .body, .answering: closeAfter()
        case .lingering, .closing, .handedOver: break
        }
    }

    func abort() {
        transport?.abort()
    }
}
