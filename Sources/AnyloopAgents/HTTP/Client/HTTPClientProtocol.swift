import AnyloopCore
import AnyloopWire
import HTTPTypes

/// How one client connection treats its requests.
public struct HTTPConnectionOptions: Sendable {
    /// What a response may hold at most.
    public var limits = HTTP1Limits.standard
    /// What the parser forgives; nothing by default.
    public var leniency: HTTP1Leniency = []
    /// Requests that may be on their way at once (RFC 9112 §9.3.2); 1: no pipelining.
    public var pipelineDepth = 1
    /// Whether targets are sent in absolute form, for a proxy.
    public var isProxied = false
    /// The `Proxy-Authorization` of such requests, unless they have one of their own.
    public var proxyLogin: HTTPBasicLogin?
    /// From the request's end to the response's head; nil: no limit.
    public var headerTimeout: Duration? = .seconds(60)
    /// Between two pieces of a response's body; nil: no limit.
    public var readTimeout: Duration? = .seconds(60)
    /// How long a server may take nothing of a request; nil: no limit.
    public var writeTimeout: Duration? = .seconds(60)
    /// How long to hold a body for `100 Continue` before it is sent all the same (RFC 9110 §10.1.1).
    public var continueTimeout = Duration.seconds(1)
    /// How long an idle connection is kept; nil: until the server closes it.
    public var idleTimeout: Duration? = .seconds(30)

    /// The defaults.
    public init() {}
}

/// The client's side of one HTTP/1.1 connection (RFC 9112).
public final class HTTPClientProtocol: StreamProtocol {
    enum Phase {
        case connecting, open, closed
    }

    enum Wait {
        case none, idle, header, body, write, goOn
    }

    let options: HTTPConnectionOptions
    var transport: (any StreamTransport)?
    var loop: (any Loop)?
    var parser: HTTP1Parser
    var phase = Phase.connecting
    /// Those whose request is out or about to be, in order; responses belong to the first.
    var exchanges: [HTTPClientExchange] = []
    /// The last response said, or the last exchange caused, that there is no next one.
    var closesWhenDone = false

    var pending: [UInt8] = []
    var pendingOffset = 0
    var isParsing = false
    var isResumeScheduled = false
    var isReadPaused = false
    var isWritePaused = false
    var peerEnded = false
    var hasTrailers = false
    let output = HTTPOutput(capacity: 512)

    var wait = Wait.none
    var isDeadlineStale = true
    var deadline = LoopInstant(nanoseconds: .max)
    var timer: TimerHandle?
    var timerFires = LoopInstant(nanoseconds: .max)
    var writeBufferAtDeadline = 0

    /// Called when the connection may take a request: after `connectionMade`, and whenever a response is complete.
    public var onReady: (() -> Void)?
    /// Called once, when the connection takes no more requests.
    public var onClosed: (() -> Void)?
    /// Told of each response's head as the parser has it, interim ones included, before its exchange is.
    public var onHead: ((HTTP1Head) -> Void)?
    /// Told of what the parser refuses, also where no exchange is left to hear of it.
    public var onMalformed: ((HTTP1Error) -> Void)?

    /// A connection's protocol; `start` gives it requests once it is connected.
    public init(options: HTTPConnectionOptions = HTTPConnectionOptions()) {
        self.options = options
        parser = HTTP1Parser(role: .responses, limits: options.limits, leniency: options.leniency)
    }

    /// Whether `start` would take a request now.
    public var isReady: Bool {
        guard phase == .open, !closesWhenDone, !peerEnded, exchanges.count < max(1, options.pipelineDepth) else {
            return false
        }
        // RFC 9112 §9.3.2: nothing is pipelined behind a request that could not be repeated.
        return exchanges.allSatisfy { $0.requestPhase == .sent && HTTPRedirect.isIdempotent($0.request.method) }
    }

    /// Whether a part of a response is here and the rest is not.
    public var isWithinResponse: Bool { parser.isWithinMessage }

    /// Whether no exchange is under way.
    public var isIdle: Bool { exchanges.isEmpty }

    // MARK: Callbacks

    /// Tells `onReady`.
    public func connectionMade(_ transport: any StreamTransport) {
        self.transport = transport
        loop = transport.loop
        phase = .open
        updateDeadline()
        onReady?()
    }

    /// Works off what it can and keeps the rest.
    public func dataReceived(_ data: Span<UInt8>) {
        guard phase == .open else { return }
        isDeadlineStale = true
        exchanges.first?.hasHeard = true
        if isParsing || pendingOffset < pending.count {
            keep(data)
        } else {
            let position = parse(data)
            if position < data.count { keep(data.extracting(position...)) }
            afterParsing()
        }
    }

    /// Ends a response that lasts until the close; otherwise whoever waits has nothing more to expect.
    public func eofReceived() -> Bool {
        peerEnded = true
        guard phase == .open else { return false }
        if pendingOffset == pending.count { resumeInput() }
        return phase == .open && !exchanges.isEmpty && transport?.canWriteEOF == true
    }

    /// Fails what is under way.
    public func connectionLost(_ error: TransportError?) {
        let lost = exchanges
        exchanges = []
        let wasOpen = phase != .closed
        phase = .closed
        timer?.cancel()
        timer = nil
        transport = nil
        pending = []
        for exchange in lost { end(exchange, .connectionLost(error)) }
        if wasOpen { tellClosed() }
        loop = nil
    }

    /// Holds back the body.
    public func pauseWriting() {
        isWritePaused = true
        updateDeadline()
    }

    /// Sends on.
    public func resumeWriting() {
        isWritePaused = false
        if let exchange = exchanges.last, exchange.requestPhase == .sending {
            sendBytes(exchange)
            run { try exchange.onWritable?() }
        }
        updateDeadline()
    }

    // MARK: Ends

    /// Closes once what is under way is complete; now if nothing is.
    public func close() {
        closesWhenDone = true
        if exchanges.isEmpty { closeNow() }
    }

    func closeNow() {
        guard phase != .closed else { return }
        phase = .closed
        transport?.close()
        updateDeadline()
        tellClosed()
    }

    /// Aborts; everything under way ends with `error`.
    func fail(_ error: HTTPClientError) {
        guard phase != .closed else { return }
        phase = .closed
        let failed = exchanges
        exchanges = []
        pending = []
        transport?.abort()
        updateDeadline()
        for (index, exchange) in failed.enumerated() {
            end(exchange, index == 0 ? error : .connectionLost(nil))
        }
        tellClosed()
    }

    private func tellClosed() {
        let callback = onClosed
        onClosed = nil
        onReady = nil
        callback?()
    }

    private func end(_ exchange: HTTPClientExchange, _ error: HTTPClientError) {
        exchange.connection = nil
        let callback = exchange.onError
        exchange.release()
        callback?(error)
    }

    /// Runs a callback of the application; what it throws ends the connection.
    func run(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            fail(error as? HTTPClientError ?? .callbackFailed(error))
        }
    }
}
