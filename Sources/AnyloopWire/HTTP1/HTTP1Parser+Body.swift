extension HTTP1Parser {
    /// Ends the message before, and enters the start line unless the next byte is that of an empty line.
    mutating func beginMessage(
        _ input: Span<UInt8>, at position: inout Int, origin: Int
    ) throws(HTTP1Error) {
        let byte = input[position]
        if role == .requests, byte == ASCII.carriageReturn || byte == ASCII.lineFeed {
            let place = origin + position
            if byte == ASCII.lineFeed, !leniency.contains(.bareLF) { throw fail(.bareLF, at: place) }
            guard emptyLines < limits.leadingEmptyLines else { throw fail(.badRequestLine, at: place) }
            emptyLines += 1
            position += 1
            if byte == ASCII.carriageReturn { state = .emptyLine }
            return
        }
        guard role == .requests || expectedResponses > 0 else {
            throw fail(.unsolicitedResponse, at: origin + position)
        }
        resetMessage()
        emptyLines = 0
        state = .startLine
    }

    /// Makes the message's storage empty for the next one.
    mutating func resetMessage() {
        head.reset()
        notes = HTTP1HeadNotes()
        if trailers.entryCount > 0 { trailers.reset() }
        bodyBytes = 0
        extensionBytes = 0
        sectionDone = false
        lineStart = 0
    }

    /// Gives back storage that a large message left, while the connection is idle.
    mutating func releaseMessage() {
        head.fields.reset()
        if trailers.entryCount > 0 { trailers = HTTP1Fields() }
        if partial.capacity > 0 { partial = [] }
        if methods.capacity > 64, nextMethod == methods.count {
            methods = []
            nextMethod = 0
        }
    }

    /// Enters the state that the head's framing asks for.
    mutating func beginBody() {
        switch head.framing {
        case .none:
            state = .complete
        case .length(let length):
            remaining = length
            state = length > 0 ? .fixed : .complete
        case .chunked:
            state = .chunkLine
        case .untilClose:
            remaining = limits.bodySize
            state = .untilClose
        }
    }

    /// Takes as many bytes of `input` as are due and present; `end` follows the last one due.
    mutating func takeBody(_ input: Span<UInt8>, at position: inout Int, then end: State) -> Range<Int> {
        let start = position
        let count = min(remaining, input.count - start)
        position = start + count
        remaining -= count
        if remaining == 0 { state = end }
        return start..<position
    }

    /// The state after the first byte that follows a chunk's data.
    mutating func readChunkEnd(_ byte: UInt8, origin: Int) throws(HTTP1Error) -> State {
        if byte == ASCII.carriageReturn { return .chunkLF }
        guard byte == ASCII.lineFeed, leniency.contains(.bareLF) else { throw fail(.badChunkEnd, at: origin) }
        return .chunkLine
    }

    /// Decides what follows a complete message.
    mutating func finishMessage() -> HTTP1Event? {
        if role == .requests {
            if head.method == .connect || head.offersUpgrade {
                state = .suspended
                return .mightSwitch
            }
            state = head.keepAlive ? .between : .closed
            return nil
        }
        if head.status == 101 || head.status / 100 == 2 && head.method == .connect {
            nextMethod += 1
            state = .switched
            return .upgrade
        }
        if head.status < 200 {
            state = .between
            return nil
        }
        nextMethod += 1
        state = head.keepAlive ? .between : .closed
        return nil
    }

    /// Makes the parser stand for good, and gives the error to throw.
    mutating func fail(_ code: HTTP1ErrorCode, in range: Range<Int>) -> HTTP1Error {
        let error = HTTP1Error(code, at: range)
        failure = error
        state = .failed
        return error
    }

    /// Makes the parser stand for good over the byte at `place`, and gives the error to throw.
    mutating func fail(_ code: HTTP1ErrorCode, at place: Int) -> HTTP1Error {
        fail(code, in: place..<place + 1)
    }
}

extension HTTP1Limits {
    /// These limits, with no section past what its table can address, and none below zero.
    var clamped: HTTP1Limits {
        let most = 1 << 30
        var limits = self
        limits.requestLine = min(max(requestLine, 0), most)
        limits.fieldLine = min(max(fieldLine, 0), most)
        limits.fieldCount = min(max(fieldCount, 0), most)
        limits.headSize = min(max(headSize, 0), most)
        limits.trailerSize = min(max(trailerSize, 0), most)
        limits.chunkExtension = min(max(chunkExtension, 0), most)
        limits.chunkExtensionTotal = min(max(chunkExtensionTotal, 0), most)
        limits.bodySize = max(bodySize, 0)
        limits.leadingEmptyLines = max(leadingEmptyLines, 0)
        return limits
    }
}
