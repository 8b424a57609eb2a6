import AnyloopCore
import AnyloopWire
import HTTPTypes

/// Responses: from bytes to the application.
extension HTTPClientProtocol {
    private var mayParse: Bool {
        phase == .open && exchanges.first?.isResponsePaused != true
    }

    /// Takes events while that is allowed; how many bytes of `input` are worked off.
    func parse(_ input: Span<UInt8>) -> Int {
        isParsing = true
        defer { isParsing = false }
        var position = 0
        do throws(HTTP1Error) {
            while mayParse, let event = try parser.next(input, at: &position) {
                handle(event, input, &position)
            }
            while peerEnded, position == input.count, mayParse, let event = try parser.receiveEnd() {
                handle(event, input, &position)
            }
        } catch {
            onMalformed?(error)
            if peerEnded, error.code == .unexpectedEOF {
                fail(.connectionLost(nil))
            } else {
                fail(.malformedResponse(error))
            }
        }
        return phase == .open ? position : input.count
    }

    /// What the end of a stretch of parsing brings: a closed connection, or one that reads on.
    func afterParsing() {
        guard phase == .open else { return }
        if peerEnded, pendingOffset == pending.count, mayParse {
            if exchanges.isEmpty { closeNow() } else { fail(.connectionLost(nil)) }
            return
        }
        if mayParse, isReadPaused, pendingOffset == pending.count {
            isReadPaused = false
            transport?.resumeReading()
        } else if !mayParse, !isReadPaused {
            isReadPaused = true
            transport?.pauseReading()
        }
        updateDeadline()
    }

    private func handle(_ event: HTTP1Event, _ input: Span<UInt8>, _ position: inout Int) {
        guard let exchange = exchanges.first else { return }
        switch event {
        case .head:
            hasTrailers = false
            onHead?(parser.head)
            let response = HTTPResponse(parser.head)
            if parser.head.status < 200 {
                interim(exchange, response)
            } else {
                final(exchange, response)
            }
        case .body(let range):
            do {
                try exchange.onBody?(input.extracting(range))
            } catch {
                fail(error as? HTTPClientError ?? .callbackFailed(error))
            }
        case .trailers:
            hasTrailers = true
        case .end:
            // An interim response's end is no one's.
            if exchange.hasResponse, !isSwitching { complete(exchange) }
        case .mightSwitch:
            break  // only of requests
        case .upgrade:
            let remaining = [UInt8](copying: input.extracting(position...))
            position = input.count
            handOver(exchange, remaining)
        }
    }

    /// Whether the response in work ends HTTP on this connection: 101, or 2xx to CONNECT.
    private var isSwitching: Bool {
        parser.head.status == 101 || (parser.head.method == .connect && (200..<300).contains(parser.head.status))
    }

    private func interim(_ exchange: HTTPClientExchange, _ response: HTTPResponse) {
        guard response.status.code != 101 else { return }
        if response.status.code == 100, exchange.requestPhase == .holding { sendBody(exchange) }
        run { try exchange.onInformational?(response) }
    }

    private func final(_ exchange: HTTPClientExchange, _ response: HTTPResponse) {
        exchange.hasResponse = true
        switch exchange.requestPhase {
        case .holding:
            // The promised body will not come, so nothing may follow on this connection.
            stopRequest(exchange)
        case .sending where response.status.code >= 300:
            // RFC 9112 §9.5: the server does not want the rest; our side ends, its response is still read.
            stopRequest(exchange)
            // TLS has no half of a connection: there the close ends it, once the response is complete.
            if let transport, transport.canWriteEOF { transport.writeEOF() }
        case .sending, .sent, .stopped, .waiting:
            break
        }
        guard !isSwitching else { return }
        run { try exchange.onResponse?(response) }
    }

    private func stopRequest(_ exchange: HTTPClientExchange) {
        exchange.requestPhase = .stopped
        closesWhenDone = true
    }

    private func complete(_ exchange: HTTPClientExchange) {
        exchanges.removeFirst()
        isDeadlineStale = true
        if !parser.head.keepAlive || exchange.requestPhase != .sent { closesWhenDone = true }
        let trailers = hasTrailers ? HTTPFields(parser.trailers) : nil
        let onEnd = exchange.onEnd
        let onError = exchange.onError
        exchange.connection = nil
        exchange.release()
        if closesWhenDone {
            // Requests sent after this one will not be answered here.
            let others = exchanges
            exchanges = []
            closeNow()
            for other in others { other.fail(.connectionLost(nil)) }
        }
        // First those who wait for this connection, so that a request made in `onEnd` comes behind them.
        if isReady { onReady?() }
        do {
            try onEnd?(trailers)
        } catch {
            onError?(error as? HTTPClientError ?? .callbackFailed(error))
        }
    }

    private func handOver(_ exchange: HTTPClientExchange, _ remaining: [UInt8]) {
        guard let onSwitch = exchange.onSwitch, let transport else { return fail(.unexpectedSwitch) }
        let response = HTTPResponse(parser.head)
        exchanges = []
        phase = .closed
        timer?.cancel()
        timer = nil
        self.transport = nil
        exchange.connection = nil
        let onError = exchange.onError
        exchange.release()
        do {
            let heir = try onSwitch(response, transport, remaining)
            transport.streamProtocol = heir
            if isWritePaused { try heir.pauseWriting() }
            if isReadPaused { transport.resumeReading() }
            if peerEnded, try !heir.eofReceived() { transport.close() }
        } catch {
            transport.abort()
            onError?(error as? HTTPClientError ?? .callbackFailed(error))
        }
        onClosed?()
        onClosed = nil
        onReady = nil
    }

    // MARK: Input that waits

    func keep(_ bytes: Span<UInt8>) {
        guard phase == .open else { return }
        if pendingOffset > 0 {
            pending.removeSubrange(..<pendingOffset)
            pendingOffset = 0
        }
        pending.append(copying: bytes)
    }

    func resumeInput() {
        guard phase == .open, !isParsing else { return }
        let input = pending
        let start = pendingOffset
        pending = []
        pendingOffset = 0
        let position = start + parse(input.span.extracting(start...))
        if position < input.count, phase == .open {
            pending = input
            pendingOffset = position
        }
        afterParsing()
    }

    func scheduleResume() {
        guard !isParsing, !isResumeScheduled, let loop else { return }
        isResumeScheduled = true
        loop.callSoon { [self] in
            isResumeScheduled = false
            resumeInput()
        }
    }
}

extension HTTPClientExchange {
    func fail(_ error: HTTPClientError) {
        connection = nil
        let callback = onError
        release()
        callback?(error)
    }
}
