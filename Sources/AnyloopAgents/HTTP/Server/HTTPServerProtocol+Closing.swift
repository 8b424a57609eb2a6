import AnyloopCore
import AnyloopWire
import HTTPTypes
import Logging

/// Ends and deadlines.
extension HTTPServerProtocol {
    // MARK: Ends

    /// Closes once what is queued is sent.
    func closeNow() {
        flush()
        phase = .closing
        pending = []
        pendingOffset = 0
        transport?.close()
    }

    /// Ends our side and discards input for a while: closing at once could make the peer's system drop our last
    /// response unread (RFC 9112 §9.6). Over TLS the transport's close does this by itself, see `HTTPServer`.
    func linger() {
        guard let transport, transport.canWriteEOF, !peerEnded else { return closeNow() }
        flush()
        phase = .lingering
        discarded = pending.count - pendingOffset
        pending = []
        pendingOffset = 0
        transport.writeEOF()
        if discarded > service.options.lingerByteLimit { closeNow() }
    }

    func discardWhileLingering(_ count: Int) {
        discarded += count
        guard discarded > service.options.lingerByteLimit else { return }
        closeNow()
        updateDeadline()
    }

    /// Answers a request that the parser refused, and ends the connection.
    func refuse(_ error: HTTP1Error) {
        service.options.logger?.debug("refused a request: \(error)")
        service.onRefusal?(error)
        fail(HTTPServerResponses.status(error.suggestedStatus), .malformedRequest(error))
    }

    /// Ends the connection: with a response of `status` if none has begun, else so that the peer notices.
    func fail(_ status: HTTPResponse.Status, _ error: HTTPServerError) {
        let exchange = self.exchange
        self.exchange = nil
        switch exchange?.responsePhase ?? .none {
        case .none:
            closesAfterResponse = true
            appendErrorResponse(status, error, omitsBody: exchange?.method == .head)
            linger()
        case .streaming:
            abortNow(reset: exchange?.responseFraming == .untilClose)
        case .finished:
            linger()
        }
        exchange?.end(error)
    }

    /// The handler threw.
    func failed(_ exchange: HTTPServerExchange, _ error: any Error) {
        guard self.exchange === exchange else { return }
        service.options.logger?.error("a handler failed: \(error)")
        switch exchange.responsePhase {
        case .none:
            let text = "500 Internal Server Error\n"
            exchange.respond(HTTPServerResponses.plain(.internalServerError), body: Array(text.utf8))
        case .streaming:
            self.exchange = nil
            abortNow(reset: exchange.responseFraming == .untilClose)
            exchange.end(.handlerFailed(error))
        case .finished:
            break
        }
    }

    func abortNow(reset: Bool = false) {
        phase = .closing
        pending = []
        pendingOffset = 0
        output?.removeAll()
        if reset { transport?.reset() } else { transport?.abort() }
    }

    /// Gives the transport and what is left of the input to the handler's protocol.
    func handOver() {
        guard let successor, let transport else { return }
        self.successor = nil
        timer?.cancel()
        timer = nil
        service.remove(self)
        let remaining = Array(pending[pendingOffset...])
        pending = []
        pendingOffset = 0
        self.transport = nil
        do {
            let heir = try successor(transport, remaining)
            transport.streamProtocol = heir
            if isWritePaused { try heir.pauseWriting() }
            if isReadPaused { transport.resumeReading() }
            if peerEnded, try !heir.eofReceived() { transport.close() }
        } catch {
            service.options.logger?.error("an upgrade failed: \(error)")
            transport.abort()
        }
    }

    // MARK: Deadlines

    private var hasQueuedOutput: Bool { transport.map { $0.writeBufferSize > 0 } ?? false }

    private var currentWait: Wait {
        switch phase {
        // As long as the peer takes what is queued, the time to linger has not begun.
        case .lingering: hasQueuedOutput ? .write : .linger
        case .closing: hasQueuedOutput ? .write : .none
        case .handedOver: .none
        case .idle: isWritePaused ? .write : .idle
        case .head: .header
        case .body where bodyMode == .delivering || bodyMode == .discarding: .body
        case .body, .answering: isWritePaused ? .write : .handler
        }
    }

    /// Sets the deadline for what is waited for now; the timer is touched only if it would fire too late.
    func updateDeadline() {
        let current = currentWait
        guard current != wait || isDeadlineStale, let loop else { return }
        wait = current
        isDeadlineStale = false
        let limit: Int64?
        switch current {
        case .none: limit = nil
        case .idle: limit = service.timing.idle
        case .header: limit = service.timing.header
        case .body: limit = service.timing.body
        case .handler: limit = service.timing.handler
        case .linger: limit = service.timing.linger
        case .write:
            limit = service.timing.write
            writeBufferAtDeadline = transport?.writeBufferSize ?? 0
        }
        guard let limit else {
            deadline = LoopInstant(nanoseconds: .max)
            return
        }
        let (sum, overflow) = loop.now.nanoseconds.addingReportingOverflow(limit)
        deadline = LoopInstant(nanoseconds: overflow ? .max : sum)
        if deadline < timerFires { arm(loop) }
    }

    private func arm(_ loop: any Loop) {
        timer?.cancel()
        timerFires = deadline
        timer = loop.callAt(deadline) { [self] in timerFired() }
    }

    private func timerFired() {
        timer = nil
        timerFires = LoopInstant(nanoseconds: .max)
        guard let loop, phase != .handedOver, deadline < timerFires else { return }
        guard deadline <= loop.now else { return arm(loop) }
        turn { expire() }
        if timer == nil, deadline < timerFires, transport != nil, phase != .handedOver {
            isDeadlineStale = true
            updateDeadline()
        }
    }

    private func expire() {
        isDeadlineStale = true
        switch wait {
        case .none:
            break
        case .idle:
            closeNow()
        case .header:
            fail(.requestTimeout, .timedOut(what: "the request's head", after: service.options.headerTimeout))
        case .body:
            fail(.requestTimeout, .timedOut(what: "the request's body", after: service.options.bodyTimeout))
        case .handler:
            let limit = service.options.handlerTimeout ?? .zero
            fail(.serviceUnavailable, .timedOut(what: "the handler", after: limit))
        case .linger:
            closeNow()
        case .write:
            // Any progress since the deadline was set earns another one.
            if (transport?.writeBufferSize ?? 0) >= writeBufferAtDeadline { abortNow() }
        }
    }
}
