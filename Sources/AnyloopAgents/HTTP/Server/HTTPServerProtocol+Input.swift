import AnyloopCore
import AnyloopWire
import HTTPTypes

/// Requests: from bytes to the handler.
extension HTTPServerProtocol {
    /// Whether the next event may be taken from the parser now.
    var mayParse: Bool {
        switch phase {
        case .idle: !isWritePaused
        case .head: true
        case .body: bodyMode == .delivering || bodyMode == .discarding
        case .answering, .lingering, .closing, .handedOver: false
        }
    }

    /// Works off `input`, keeps what has to wait, and sends what came of it.
    func process(_ input: Span<UInt8>) {
        beginTurn()
        let position = parse(input)
        if position < input.count { keep(input.extracting(position...)) }
        endTurn()
    }

    /// Works off what was kept.
    func processPending() {
        guard !isProcessing, mayParse || peerEnded else { return }
        beginTurn()
        // Taken out, so that the callbacks may not change what is being read.
        let input = pending
        pending = []
        let start = pendingOffset
        pendingOffset = 0
        let position = start + parse(input.span.extracting(start...))
        if position < input.count, phase != .closing, phase != .lingering {
            pending = input
            pendingOffset = position
        }
        endTurn()
    }

    /// Takes events while that is allowed; how many bytes of `input` are worked off.
    private func parse(_ input: Span<UInt8>) -> Int {
        var position = 0
        do throws(HTTP1Error) {
            while mayParse {
                guard let event = try parser.next(input, at: &position) else {
                    if phase == .idle, !parser.isBetweenMessages { phase = .head }
                    break
                }
                handle(event, input)
            }
            if peerEnded, position == input.count, mayParse { try receiveEnd() }
        } catch {
            refuse(error)
        }
        switch phase {
        case .closing, .lingering: return input.count
        case .idle, .head, .body, .answering, .handedOver: return position
        }
    }

    private func handle(_ event: HTTP1Event, _ input: Span<UInt8>) {
        switch event {
        case .head: beginExchange()
        case .body(let range): deliver(input.extracting(range))
        case .trailers: hasTrailers = true  // given to the handler with the end
        case .end: endRequest()
        case .mightSwitch: parser.resumeAsHTTP()  // the handler had its chance: it answered otherwise
        case .upgrade: break  // only of responses
        }
    }

    /// The peer's side has ended and all it sent is worked off.
    private func receiveEnd() throws(HTTP1Error) {
        _ = try parser.receiveEnd()
        if phase == .idle || phase == .head { closeNow() }
    }

    private func beginExchange() {
        requestCount += 1
        if let limit = service.options.requestLimit, requestCount >= limit { closeAfter() }
        if service.isShuttingDown { closeAfter() }
        phase = .body
        let framing = parser.head.framing
        bodyMode = framing == .none || framing == .length(0) ? .discarding : .undecided
        discarded = 0
        hasTrailers = false
        isDeadlineStale = true
        let exchange = HTTPServerExchange()
        exchange.begin(
            self, method: parser.head.method, version: parser.head.version, framing: framing,
            expectsContinue: parser.head.expectsContinue && parser.head.version >= .http11)
        if !parser.head.keepAlive { closesAfterResponse = true }
        self.exchange = exchange
        run(exchange) { try service.handler(exchange) }
    }

    private func deliver(_ bytes: Span<UInt8>) {
        isDeadlineStale = true
        guard bodyMode == .delivering, let exchange else {
            discarded += bytes.count
            if discarded > service.options.unreadBodyLimit { linger() }
            return
        }
        do {
            try exchange.notifyBody(bytes)
        } catch {
            failed(exchange, error)
        }
    }

    private func endRequest() {
        guard phase == .body else { return }
        phase = .answering
        exchange?.isRequestComplete = true
        if bodyMode == .delivering, let exchange {
            let trailers = hasTrailers ? HTTPFields(parser.trailers) : nil
            run(exchange) { try exchange.notifyEnd(trailers) }
        }
        finishExchangeIfDone()
    }

    /// Keeps `bytes` for later; reading pauses above the limit.
    func keep(_ bytes: Span<UInt8>) {
        switch phase {
        case .closing, .lingering: return
        case .idle, .head, .body, .answering, .handedOver: break
        }
        if pendingOffset > 0 {
            pending.removeSubrange(..<pendingOffset)
            pendingOffset = 0
        }
        pending.append(copying: bytes)
        if pending.count > service.options.pendingInputLimit, !isReadPaused, phase != .handedOver {
            isReadPaused = true
            transport?.pauseReading()
        }
    }

    /// Goes on with kept input and reading, as far as the state allows.
    func resumeInput() {
        if mayParse || peerEnded { processPending() } else { endTurn() }
    }

    /// Lets kept input be worked off in the loop's next turn: never inside a call of the application.
    func scheduleResume() {
        guard !isProcessing, !isResumeScheduled, let loop else { return }
        // Of a body, the end may be due without further input.
        guard pendingOffset < pending.count || peerEnded || isReadPaused || phase == .body else { return }
        isResumeScheduled = true
        loop.callSoon { [self] in
            isResumeScheduled = false
            if phase != .closing { resumeInput() }
        }
    }

    // MARK: Turns

    /// Runs `body` as a turn of its own, unless one is under way.
    func turn(_ body: () -> Void) {
        guard !isProcessing else { return body() }
        beginTurn()
        body()
        endTurn()
        scheduleResume()
    }

    /// Starts to collect output.
    func beginTurn() {
        isProcessing = true
        if output == nil { output = service.takeOutput() }
    }

    /// Sends what was collected, reads on if there is room, and looks after the deadline.
    func endTurn() {
        flush()
        isProcessing = false
        if let output {
            self.output = nil
            service.giveBack(output)
        }
        if phase == .handedOver { return handOver() }
        if needsResume {
            needsResume = false
            scheduleResume()
        }
        if isReadPaused, pending.count - pendingOffset <= service.options.pendingInputLimit {
            isReadPaused = false
            transport?.resumeReading()
        }
        updateDeadline()
    }

    /// Runs a callback of the application; what it throws is the exchange's failure.
    func run(_ exchange: HTTPServerExchange, _ body: () throws -> Void) {
        do {
            try body()
        } catch {
            failed(exchange, error)
        }
    }
}
