extension HTTP1Parser {
    /// Decides what the whole head means: framing (RFC 9112 §6.3), persistence (§9.3), upgrade and expectation.
    mutating func finishHead() throws(HTTP1Error) {
        let headEnd = offset(ofHeadByte: head.fields.byteCount)
        if let line = notes.emptyEncoding { throw fail(.badTransferEncoding, in: streamRange(line)) }
        if let line = notes.emptyLength { throw fail(.badContentLength, in: streamRange(line)) }
        if role == .requests {
            if head.hostIndex < 0, head.version >= .http11, !leniency.contains(.missingHost) {
                throw fail(.missingHost, in: headEnd - min(2, head.fields.byteCount)..<headEnd)
            }
            head.framing = try requestFraming()
        } else {
            head.framing = try responseFraming()
        }
        if case .length(let length) = head.framing, length > limits.bodySize {
            throw fail(.bodyTooLarge, in: streamRange(notes.contentLengthLine))
        }
        head.keepAlive = !notes.close && (head.version >= .http11 || notes.keepAlive)
        if head.framing == .untilClose { head.keepAlive = false }
        head.offersUpgrade = notes.hasUpgrade && notes.namesUpgrade && head.version >= .http11
        head.expectsContinue =
            notes.expectsContinue && head.version >= .http11 && head.framing != .none
            && head.framing != .length(0)
    }

    private mutating func requestFraming() throws(HTTP1Error) -> HTTP1Framing {
        if notes.hasEncoding {
            guard notes.lastIsChunked else { throw fail(.chunkedNotLast, in: streamRange(notes.encodingLine)) }
            guard !notes.sawUnknownCoding else {
                throw fail(.unknownTransferCoding, in: streamRange(notes.encodingLine))
            }
            return .chunked
        }
        return notes.contentLength < 0 ? .none : .length(notes.contentLength)
    }

    private mutating func responseFraming() throws(HTTP1Error) -> HTTP1Framing {
        if head.status < 200 || head.status == 204 || head.status == 304 || head.method == .head { return .none }
        if head.method == .connect, head.status < 300 { return .none }
        if notes.hasEncoding {
            guard notes.lastIsChunked else { return .untilClose }
            guard !notes.sawUnknownCoding else {
                throw fail(.unknownTransferCoding, in: streamRange(notes.encodingLine))
            }
            return .chunked
        }
        return notes.contentLength < 0 ? .untilClose : .length(notes.contentLength)
    }

    private func offset(ofHeadByte index: Int) -> Int { sectionStart + index }

    private func streamRange(_ extent: HTTP1Extent) -> Range<Int> {
        offset(ofHeadByte: extent.range.lowerBound)..<offset(ofHeadByte: extent.range.upperBound)
    }
}
