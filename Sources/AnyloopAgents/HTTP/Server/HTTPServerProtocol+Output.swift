import AnyloopCore
import AnyloopWire
import HTTPTypes

/// Responses: from the handler to bytes.
extension HTTPServerProtocol {
    /// Bodies up to this size are joined with their head; greater ones are gathered without a copy.
    static let joinedBodySize = 16384
    /// Output collected in a turn is sent early when it passes this.
    static let collectedOutputSize = 65536

    /// Sends what this turn has collected.
    func flush() {
        guard let output, output.count > 0 else { return }
        if let transport { output.withBytes { transport.write($0) } }
        output.removeAll()
    }

    /// Appends `body`, joined or gathered.
    private func send(_ body: [UInt8]) {
        guard let output else { return }
        if body.count <= Self.joinedBodySize {
            output.append(body.span)
            if output.count > Self.collectedOutputSize { flush() }
        } else if output.count > 0 {
            let head = output.withBytes { [UInt8](copying: $0) }
            output.removeAll()
            transport?.write(contentsOf: [head, body])
        } else {
            transport?.write(body)
        }
    }

    // MARK: What the exchange asks for

    func respond(_ exchange: HTTPServerExchange, _ response: HTTPResponse, _ body: [UInt8]) {
        turn {
            appendHead(exchange, response, length: Int64(body.count))
            if case .length = exchange.responseFraming { send(body) }
            finished(exchange)
        }
    }

    func start(_ exchange: HTTPServerExchange, _ response: HTTPResponse) {
        turn {
            appendHead(exchange, response, length: nil)
            exchange.responsePhase = .streaming
        }
    }

    func write(_ exchange: HTTPServerExchange, _ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        turn {
            switch exchange.responseFraming {
            case .none:
                break
            case .length(let left):
                guard bytes.count <= left else {
                    return misused(exchange, "the body is longer than the response's Content-Length")
                }
                exchange.responseFraming = .length(left - Int64(bytes.count))
                send(bytes)
            case .chunked:
                output?.append(hexadecimal: bytes.count)
                output?.append("\r\n")
                send(bytes)
                output?.append("\r\n")
            case .untilClose:
                send(bytes)
            }
        }
    }

    func sendFile(
        _ exchange: HTTPServerExchange, descriptor: Int32, offset: Int64, count: Int,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        turn {
            guard let transport else { return }
            var isChunked = false
            switch exchange.responseFraming {
            case .none:
                loop?.callSoon { completion(.success(0)) }
                return
            case .length(let left):
                guard count <= left else {
                    misused(exchange, "the file's part is longer than the response's Content-Length")
                    loop?.callSoon { completion(.failure(.cancelled)) }
                    return
                }
                exchange.responseFraming = .length(left - Int64(count))
            case .chunked where count > 0:
                isChunked = true
                output?.append(hexadecimal: count)
                output?.append("\r\n")
            case .chunked, .untilClose:
                break
            }
            flush()
            transport.sendFile(descriptor: descriptor, offset: offset, count: count) { [weak transport] result in
                // The head promised `count` bytes: if the file fell short, only an abort tells the peer.
                if case .success(count) = result {} else { transport?.abort() }
                completion(result)
            }
            if isChunked { output?.append("\r\n") }
        }
    }

    func finish(_ exchange: HTTPServerExchange, _ trailers: HTTPFields?) {
        turn {
            switch exchange.responseFraming {
            case .none:
                break
            case .length(let left):
                guard left == 0 else {
                    return misused(exchange, "the body is \(left) bytes short of the response's Content-Length")
                }
            case .chunked:
                output?.append("0\r\n")
                if let trailers, let output {
                    for field in trailers where !HTTPFraming.isForbiddenTrailer(field.name) { output.append(field) }
                }
                output?.append("\r\n")
            case .untilClose:
                closesAfterResponse = true
            }
            finished(exchange)
        }
    }

    func sendInformational(_ response: HTTPResponse) {
        turn {
            guard let output else { return }
            output.appendStatusLine(response.status)
            for field in response.headerFields where !HTTPFraming.isManaged(field.name) { output.append(field) }
            output.append("\r\n")
        }
    }

    /// The handler wants the body: lets a waiting client send it, and delivers what is here.
    func startReadingBody(_ exchange: HTTPServerExchange) {
        guard phase == .body, bodyMode == .undecided || bodyMode == .discarding, exchange.responsePhase != .finished
        else { return }
        if bodyMode == .undecided, exchange.mustContinue, exchange.responsePhase == .none,
            pendingOffset == pending.count
        {
            turn { output?.append("HTTP/1.1 100 Continue\r\n\r\n") }
        }
        exchange.mustContinue = false
        setBodyMode(.delivering)
    }

    func setBodyMode(_ mode: BodyMode) {
        guard bodyMode != mode else { return }
        bodyMode = mode
        isDeadlineStale = true
        if isProcessing {
            needsResume = true
        } else {
            updateDeadline()
            scheduleResume()
        }
    }

    func takeOver(
        _ exchange: HTTPServerExchange, _ response: HTTPResponse, _ successor: @escaping HTTPServerExchange.Successor
    ) {
        turn {
            exchange.takeOver = (response, successor)
            exchange.responsePhase = .finished
            if phase == .body, bodyMode != .delivering { bodyMode = .discarding }
            finishExchangeIfDone()
        }
    }

    private func misused(_ exchange: HTTPServerExchange, _ text: String) {
        exchange.report(text)
        self.exchange = nil
        abortNow()
        exchange.end(.misuse(text))
    }

    // MARK: The end of an exchange

    private func finished(_ exchange: HTTPServerExchange) {
        exchange.responsePhase = .finished
        if phase == .body, bodyMode != .discarding {
            bodyMode = .discarding
            isDeadlineStale = true
        }
        finishExchangeIfDone()
    }

    /// Goes on to the next request if both sides of this one are complete, or its body is given up.
    ///
    /// Holds no reference of its own to the exchange, so that it can be seen whether the handler kept it.
    func finishExchangeIfDone() {
        guard exchange?.responsePhase == .finished, phase == .answering || isBodyAbandoned else { return }
        isDeadlineStale = true
        if let (response, successor) = exchange?.takeOver {
            if let exchange { appendHead(exchange, response, length: nil) }
            self.successor = successor
            phase = .handedOver
        } else if closesAfterResponse {
            if lingers { linger() } else { closeNow() }
        } else {
            phase = .idle
        }
        guard var exchange = takeExchange() else { return }
        // Nobody holds it: then nobody asks for the head, which the parser can write over.
        if !isKnownUniquelyReferenced(&exchange) || exchange.isObserved { exchange.end(nil) }
    }

    private func takeExchange() -> HTTPServerExchange? {
        let taken = exchange
        exchange = nil
        return taken
    }

    // MARK: Heads

    /// Appends the head of the final response and settles its framing (RFC 9112 §6.3) and persistence (§9.3).
    private func appendHead(_ exchange: HTTPServerExchange, _ response: HTTPResponse, length: Int64?) {
        guard let output, let loop else { return }
        let status = response.status
        let code = status.code
        output.appendStatusLine(status)
        var declared: Int64?
        var hasDate = false
        var hasServer = false
        let isSwitch = exchange.takeOver != nil
        for field in response.headerFields {
            switch HTTPFraming.role(of: field.name) {
            case .contentLength:
                declared = Int64(field.value)
            case .transferEncoding, .keepAlive:
                break
            case .connection:
                if isSwitch { output.append(field) } else if HTTPFraming.saysClose(field.value) { closeAfter() }
            case .date, .server:
                output.append(field)
                if case .date = HTTPFraming.role(of: field.name) { hasDate = true } else { hasServer = true }
            case .other:
                output.append(field)
            }
        }
        if !hasDate { service.appendDate(to: output, now: loop.now) }
        if !hasServer { service.appendServer(to: output) }
        exchange.responseFraming = .none
        if !isSwitch {
            appendFraming(exchange, output, code: code, length: length ?? declared, declared: declared)
            if abandonsBody(exchange, isWhole: length != nil) {
                isBodyAbandoned = true
                closeAfter()
            }
            if closesAfterResponse {
                output.append("Connection: close\r\n")
            } else if exchange.version < .http11 {
                output.append("Connection: keep-alive\r\n")
            }
        }
        output.append("\r\n")
    }

    private func appendFraming(
        _ exchange: HTTPServerExchange, _ output: HTTPOutput, code: Int, length: Int64?, declared: Int64?
    ) {
        let hasNoContent = exchange.method == .head || code == 304
        if code < 200 || code == 204 { return }
        if exchange.method == .connect, code < 300 {
            // Without a hand-over there is no tunnel; what follows could only mislead the client.
            return closeAfter()
        }
        if let length = hasNoContent ? declared ?? (code == 304 ? nil : length) : length {
            output.append("Content-Length: ")
            output.append(decimal: length)
            output.append("\r\n")
            if !hasNoContent { exchange.responseFraming = .length(length) }
        } else if hasNoContent {
            return
        } else if exchange.version >= .http11 {
            output.append("Transfer-Encoding: chunked\r\n")
            exchange.responseFraming = .chunked
        } else {
            closesAfterResponse = true
            exchange.responseFraming = .untilClose
        }
    }

    /// Whether the response goes out while the body, or the rest of it, will not be read to its end.
    private func abandonsBody(_ exchange: HTTPServerExchange, isWhole: Bool) -> Bool {
        guard phase == .body, bodyMode != .discarding else { return false }
        // Whether a client that waits for 100 sends the body after a final status is anyone's guess.
        if exchange.mustContinue { return true }
        // A handler that streams may begin to answer first and read later.
        guard isWhole, bodyMode == .undecided, case .length(let length) = exchange.framing else { return false }
        return length > service.options.unreadBodyLimit
    }

    /// Our decision: the client may be sending more, so the close has to linger.
    func closeAfter() {
        closesAfterResponse = true
        lingers = true
    }

    /// Appends a whole response of our own.
    func appendErrorResponse(_ status: HTTPResponse.Status, _ error: HTTPServerError, omitsBody: Bool) {
        guard let output, let loop else { return }
        let text = "\(status.code) \(status.reasonPhrase): \(error)\n"
        output.appendStatusLine(status)
        output.append("Content-Type: text/plain; charset=utf-8\r\n")
        service.appendDate(to: output, now: loop.now)
        service.appendServer(to: output)
        output.append("Content-Length: ")
        output.append(decimal: Int64(text.utf8.count))
        output.append("\r\nConnection: close\r\n\r\n")
        if !omitsBody { output.append(text) }
    }
}
