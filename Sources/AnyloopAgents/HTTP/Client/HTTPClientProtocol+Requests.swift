import AnyloopCore
import AnyloopWire
import HTTPTypes

/// Requests: to bytes.
extension HTTPClientProtocol {
    /// Bodies are handed to the transport in pieces of this size, so that an early response can stop them.
    static let bodyPieceSize = 65536

    /// Sends a request.
    ///
    /// - Throws: `HTTPClientError.badRequest` unless `isReady`, or if the request is not fit to be sent; the
    ///   connection can be used on then.
    public func start(_ exchange: HTTPClientExchange) throws(HTTPClientError) {
        guard isReady, let transport else {
            throw .badRequest("this connection takes no request now; wait for onReady or use another")
        }
        output.removeAll()
        exchange.framing = try HTTPRequestHead.append(
            exchange.request, body: exchange.body, isProxied: options.isProxied, login: options.proxyLogin, to: output)
        exchange.connection = self
        exchanges.append(exchange)
        parser.expectResponse(to: HTTP1Method(exchange.request.method.rawValue))
        isDeadlineStale = true
        if HTTPFraming.saysClose(exchange.request.headerFields[.connection] ?? "") { closesWhenDone = true }
        let expects = exchange.request.headerFields[.expect].map { $0.lowercased() == "100-continue" } ?? false
        switch exchange.framing {
        case .none: exchange.requestPhase = .sent
        case .length(0): exchange.requestPhase = exchange.body.isReplayable ? .sent : .sending
        case .length, .chunked: exchange.requestPhase = expects ? .holding : .sending
        }
        if exchange.requestPhase == .sending, case .bytes(let bytes) = exchange.body,
            bytes.count <= Self.bodyPieceSize
        {
            output.append(bytes.span)
            exchange.requestPhase = .sent
        }
        output.withBytes { transport.write($0) }
        output.removeAll()
        if exchange.requestPhase == .sending { sendBody(exchange) }
        updateDeadline()
        guard options.pipelineDepth > 1, isReady else { return }
        loop?.callSoon { [self] in
            if isReady { onReady?() }
        }
    }

    /// The body may go.
    func sendBody(_ exchange: HTTPClientExchange) {
        exchange.requestPhase = .sending
        isDeadlineStale = true
        if case .stream = exchange.body {
            // Later, so that nobody is called inside of `start`.
            loop?.callSoon { [self] in
                guard phase == .open, exchange.requestPhase == .sending else { return }
                run { try exchange.onBodyWanted?() }
            }
        } else {
            sendBytes(exchange)
        }
    }

    /// Hands over as much of a `.bytes` body as the peer takes.
    func sendBytes(_ exchange: HTTPClientExchange) {
        guard case .bytes(let bytes) = exchange.body else { return }
        while exchange.requestPhase == .sending, !isWritePaused, let transport {
            let start = exchange.bodyPosition
            let end = min(bytes.count, start + Self.bodyPieceSize)
            exchange.bodyPosition = end
            if end == bytes.count { exchange.requestPhase = .sent }
            transport.write(bytes.span.extracting(start..<end))
        }
        if exchange.requestPhase == .sent { requestSent() }
    }

    func write(_ exchange: HTTPClientExchange, _ bytes: [UInt8]) throws(HTTPClientError) {
        guard let transport, !bytes.isEmpty else { return }
        switch exchange.framing {
        case .none:
            break
        case .length(let left):
            guard bytes.count <= left else {
                throw .badRequest("the body is longer than the length that was named")
            }
            exchange.framing = .length(left - Int64(bytes.count))
            transport.write(bytes)
        case .chunked:
            output.append(hexadecimal: bytes.count)
            output.append("\r\n")
            let size = output.withBytes { [UInt8](copying: $0) }
            output.removeAll()
            transport.write(contentsOf: [size, bytes, [13, 10]])
        }
    }

    func finish(_ exchange: HTTPClientExchange, _ trailers: HTTPFields?) throws(HTTPClientError) {
        switch exchange.framing {
        case .none:
            break
        case .length(let left):
            guard left == 0 else { throw .badRequest("the body is \(left) bytes short of the length that was named") }
        case .chunked:
            output.append("0\r\n")
            if let trailers {
                for field in trailers where !HTTPFraming.isForbiddenTrailer(field.name) { output.append(field) }
            }
            output.append("\r\n")
            if let transport { output.withBytes { transport.write($0) } }
            output.removeAll()
        }
        exchange.requestPhase = .sent
        requestSent()
    }

    private func requestSent() {
        isDeadlineStale = true
        updateDeadline()
        if isReady, !exchanges.isEmpty { onReady?() }
    }
}
