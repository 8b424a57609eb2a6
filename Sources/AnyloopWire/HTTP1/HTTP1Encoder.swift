/// Writes HTTP/1.1 messages into a buffer, without input or output of its own (RFC 9110, RFC 9112).
///
/// Whatever it refuses leaves the buffer as it was; a refused start line, field or framing takes back the whole head.
/// The buffer is the caller's and reusable; as long as a head is being written nothing else may change it.
///
/// ```swift
/// var encoder = HTTP1Encoder()
/// try encoder.startResponse(200, to: .get, into: &out)
/// try encoder.field("Content-Type", "text/plain", into: &out)
/// try encoder.endHead(.length(5), keepAlive: true, into: &out)
/// try encoder.body("hello".utf8.span, into: &out)
/// try encoder.end(into: &out)
/// ```
public struct HTTP1Encoder: ~Copyable, Sendable {
    /// Where the message being written stands.
    private enum State: UInt8 {
        case idle
        case requestHead
        case responseHead
        case body
        case part
    }

    private var state = State.idle
    private var headStart = 0
    private var status = 0
    private var method = HTTP1Method.other
    private var peer = HTTP1Version.http11
    private var hosts = 0
    private var namesClose = false
    private var framing = HTTP1Framing.none
    /// Bytes left of the content of known length.
    private var remaining = 0

    /// An encoder before its first message.
    public init() {}

    /// Whether a message was started and not ended.
    public var isWithinMessage: Bool { state != .idle }

    /// Whether the connection closes after the message written last.
    public private(set) var closes = false

    // MARK: Heads

    /// Writes a request line.
    public mutating func startRequest(
        _ method: HTTP1Method, target: String, into out: inout [UInt8]
    ) throws(HTTP1EncodingError) {
        try startRequest(method.name, target: target, into: &out)
    }

    /// Writes a request line with a method of any name.
    public mutating func startRequest(
        _ method: String, target: String, into out: inout [UInt8]
    ) throws(HTTP1EncodingError) {
        guard state == .idle else { throw .wrongOrder }
        let name = method.utf8.span
        guard !name.isEmpty, name.first(notIn: .token, from: 0, to: name.count) == name.count else { throw .badMethod }
        let bytes = target.utf8.span
        guard !bytes.isEmpty, bytes.first(notIn: .visible, from: 0, to: bytes.count) == bytes.count else {
            throw .badTarget
        }
        begin(.requestHead, out.count)
        self.method = HTTP1Method(name)
        out.append(name)
        out.append(ASCII.space)
        out.append(bytes)
        out.append(" HTTP/1.1\r\n")
    }

    /// Writes a status line with the status's usual reason phrase.
    ///
    /// `method` and `version` are those of the request that is answered.
    public mutating func startResponse(
        _ status: Int, to method: HTTP1Method, version: HTTP1Version = .http11, into out: inout [UInt8]
    ) throws(HTTP1EncodingError) {
        guard state == .idle else { throw .wrongOrder }
        guard 100...599 ~= status else { throw .badStatus(status) }
        begin(.responseHead, out.count)
        self.status = status
        self.method = method
        peer = version
        if let line = HTTP1Status.line(of: status) { return out.append(line) }
        out.append("HTTP/1.1 ")
        out.append(decimal: status)
        out.append(" \r\n")
    }

    /// Writes a status line with a reason phrase of one's own.
    public mutating func startResponse(
        _ status: Int, reason: String, to method: HTTP1Method, version: HTTP1Version = .http11, into out: inout [UInt8]
    ) throws(HTTP1EncodingError) {
        guard state == .idle else { throw .wrongOrder }
        guard 100...599 ~= status else { throw .badStatus(status) }
        let bytes = reason.utf8.span
        guard bytes.firstControl(from: 0) == bytes.count else { throw .badReason }
        begin(.responseHead, out.count)
        self.status = status
        self.method = method
        peer = version
        out.append("HTTP/1.1 ")
        out.append(decimal: status)
        out.append(ASCII.space)
        out.append(bytes)
        out.append("\r\n")
    }

    private mutating func begin(_ state: State, _ start: Int) {
        self.state = state
        headStart = start
        status = 0
        hosts = 0
        namesClose = false
        peer = .http11
    }

    /// Writes a field line; Content-Length and Transfer-Encoding come from `endHead` and are refused here.
    public mutating func field(
        _ name: String, _ value: String, into out: inout [UInt8]
    ) throws(HTTP1EncodingError) {
        try field(name.utf8.span, value.utf8.span, into: &out)
    }

    /// Writes a field line from bytes.
    public mutating func field(
        _ name: Span<UInt8>, _ value: Span<UInt8>, into out: inout [UInt8]
    ) throws(HTTP1EncodingError) {
        guard state == .requestHead || state == .responseHead else { throw .wrongOrder }
        if let error = HTTP1FieldLines.append(name, value, to: &out) { throw takeBack(error, &out) }
        switch name.count {
        case 4 where state == .requestHead && name.isName("host"):
            hosts += 1
        case 10 where name.isName("connection"):
            var list = HTTP1ListReader(0..<value.count)
            while let item = list.next(value) {
                if value.extracting(item).isName("close") { namesClose = true }
            }
        case 14 where name.isName("content-length"), 17 where name.isName("transfer-encoding"):
            throw takeBack(.reservedField(name.string(0..<name.count)), &out)
        default:
            break
        }
    }

    /// Writes field lines that were checked when they were made.
    public mutating func fields(_ lines: HTTP1FieldLines, into out: inout [UInt8]) throws(HTTP1EncodingError) {
        guard state == .requestHead || state == .responseHead else { throw .wrongOrder }
        out.append(contentsOf: lines.bytes)
    }

    /// Writes what framing and persistence ask for, and the empty line.
    ///
    /// A response to HEAD and a 304 may say the length that content would have; none of it is sent. A final response
    /// with framing `none` where content is possible says a length of 0. An interim response is complete with its head.
    public mutating func endHead(
        _ framing: HTTP1Framing, keepAlive: Bool, into out: inout [UInt8]
    ) throws(HTTP1EncodingError) {
        let isRequest = state == .requestHead
        guard isRequest || state == .responseHead else { throw .wrongOrder }
        if let error = isRequest ? requestFault(framing) : responseFault(framing) { throw takeBack(error, &out) }
        var written = framing
        if !isRequest, framing == .none, mayHaveContent { written = .length(0) }
        switch written {
        case .none, .untilClose: break
        case .length(let length):
            out.append("Content-Length: ")
            out.append(decimal: length)
            out.append("\r\n")
        case .chunked:
            out.append("Transfer-Encoding: chunked\r\n")
        }
        let isInterim = !isRequest && status < 200
        closes = !isInterim && (!keepAlive || namesClose || framing == .untilClose)
        if closes, !namesClose {
            out.append("Connection: close\r\n")
        } else if !closes, !isRequest, !isInterim, peer < .http11 {
            out.append("Connection: keep-alive\r\n")
        }
        out.append("\r\n")
        self.framing = isRequest || mayHaveContent ? written : .none
        remaining = 0
        if case .length(let length) = self.framing { remaining = length }
        state = isInterim ? .idle : .body
    }

    private func requestFault(_ framing: HTTP1Framing) -> HTTP1EncodingError? {
        guard hosts == 1 else { return .badHostCount(hosts) }
        switch framing {
        case .untilClose: return .framingNotAllowed
        case .length(let length): return length < 0 || method == .connect ? .framingNotAllowed : nil
        case .chunked: return method == .connect ? .framingNotAllowed : nil
        case .none: return nil
        }
    }

    private func responseFault(_ framing: HTTP1Framing) -> HTTP1EncodingError? {
        if framing == .chunked, peer < .http11 { return .chunkedToHTTP10 }
        if case .length(let length) = framing, length < 0 { return .framingNotAllowed }
        let isTunnel = method == .connect && 200...299 ~= status
        guard status < 200 || status == 204 || isTunnel else { return nil }
        return framing == .none ? nil : .contentNotAllowed
    }

    private var mayHaveContent: Bool {
        status >= 200 && status != 204 && status != 304 && method != .head
            && !(method == .connect && status < 300)
    }

    /// Takes the unfinished head out of the buffer, and gives the error to throw.
    private mutating func takeBack(_ error: HTTP1EncodingError, _ out: inout [UInt8]) -> HTTP1EncodingError {
        if out.count > headStart { out.removeSubrange(headStart...) }
        state = .idle
        return error
    }

    // MARK: Content

    /// Writes content; in chunked framing as one chunk. Empty content writes nothing.
    public mutating func body(_ bytes: Span<UInt8>, into out: inout [UInt8]) throws(HTTP1EncodingError) {
        guard !bytes.isEmpty else {
            guard state == .body else { throw .wrongOrder }
            return
        }
        try startPart(of: bytes.count, into: &out)
        out.append(bytes)
        try endPart(into: &out)
    }

    /// Writes what has to precede `count` bytes of content that the caller sends itself; `endPart` follows them.
    public mutating func startPart(of count: Int, into out: inout [UInt8]) throws(HTTP1EncodingError) {
        guard state == .body, count > 0 else { throw .wrongOrder }
        switch framing {
        case .none:
            throw .contentNotAllowed
        case .length:
            guard count <= remaining else { throw .contentTooLong(by: count - remaining) }
            remaining -= count
        case .chunked:
            out.append(hexadecimal: count)
            out.append("\r\n")
        case .untilClose:
            break
        }
        state = .part
    }

    /// Writes what has to follow the bytes that `startPart` announced.
    public mutating func endPart(into out: inout [UInt8]) throws(HTTP1EncodingError) {
        guard state == .part else { throw .wrongOrder }
        if framing == .chunked { out.append("\r\n") }
        state = .body
    }

    /// Ends the message: writes the last chunk, or checks that all content was written.
    public mutating func end(into out: inout [UInt8]) throws(HTTP1EncodingError) {
        guard state == .body else { throw .wrongOrder }
        guard remaining == 0 else { throw .contentTooShort(by: remaining) }
        if framing == .chunked { out.append("0\r\n\r\n") }
        state = .idle
    }

    /// Ends a chunked message with trailer fields (RFC 9112 §7.1.2).
    public mutating func end(
        trailers: HTTP1FieldLines, into out: inout [UInt8]
    ) throws(HTTP1EncodingError) {
        guard state == .body else { throw .wrongOrder }
        guard !trailers.isEmpty else { return try end(into: &out) }
        guard framing == .chunked else { throw .trailersNotAllowed }
        if let name = trailers.forbiddenTrailer { throw .forbiddenTrailer(name) }
        out.append("0\r\n")
        out.append(contentsOf: trailers.bytes)
        out.append("\r\n")
        state = .idle
    }
}
