import AnyloopCore

extension HTTPClientProtocol {
    private var currentWait: Wait {
        guard phase == .open else {
            return transport.map { $0.writeBufferSize > 0 } ?? false ? .write : .none
        }
        guard let first = exchanges.first else { return .idle }
        if first.isResponsePaused { return .none }
        if first.hasResponse { return .body }
        switch first.requestPhase {
        case .holding: return .goOn
        case .sending: return isWritePaused ? .write : .none
        case .sent, .stopped, .waiting: return .header
        }
    }

    private func limit(of wait: Wait) -> Duration? {
        switch wait {
        case .none: nil
        case .idle: options.idleTimeout
        case .header: options.headerTimeout
        case .body: options.readTimeout
        case .write: options.writeTimeout
        case .goOn: options.continueTimeout
        }
    }

    /// Sets the deadline for what is waited for now; the timer is touched only if it would fire too late.
    func updateDeadline() {
        let current = currentWait
        guard current != wait || isDeadlineStale, let loop else { return }
        wait = current
        isDeadlineStale = false
        if current == .write { writeBufferAtDeadline = transport?.writeBufferSize ?? 0 }
        deadline = limit(of: current).map { loop.now + $0 } ?? LoopInstant(nanoseconds: .max)
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
        guard let loop, deadline < timerFires else { return }
        guard deadline <= loop.now else { return arm(loop) }
        isDeadlineStale = true
        expire()
        updateDeadline()
    }

    private func expire() {
        let limit = limit(of: wait) ?? .zero
        switch wait {
        case .none:
            break
        case .idle:
            closeNow()
        case .header:
            fail(.timedOut(what: "the response's head", after: limit))
        case .body:
            fail(.timedOut(what: "the response's body", after: limit))
        case .goOn:
            if let exchange = exchanges.first { sendBody(exchange) }
        case .write:
            guard (transport?.writeBufferSize ?? 0) >= writeBufferAtDeadline else { return }
            if phase == .open {
                fail(.timedOut(what: "sending the request", after: limit))
            } else {
                transport?.abort()
            }
        }
    }
}
