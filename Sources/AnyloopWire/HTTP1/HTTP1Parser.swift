/// Reads HTTP/1.0 and 1.1 messages from a byte stream, without input or output of its own (RFC 9110, RFC 9112).
///
/// Give `next` what arrived until it returns nil, and call `receiveEnd` when the stream ends. How the stream is cut
/// into spans never changes what comes out, but that `body` events split where spans do. Errors are final, and are
/// raised when the line that holds the fault is complete or past its limit.
///
/// ```swift
/// var parser = HTTP1Parser(role: .requests)
/// var position = 0
/// while let event = try parser.next(bytes, at: &position) {
///     switch event {
///     case .head: start(parser.head)
///     case .body(let range): take(bytes.extracting(range))
///     case .trailers: note(parser.trailers)
///     case .end: finish()
///     case .mightSwitch: parser.resumeAsHTTP()
///     case .upgrade: break
///     }
/// }
/// ```
public struct HTTP1Parser: ~Copyable {
    /// What a parser reads: a server's parser reads requests, a client's reads responses.
    public enum Role: Sendable {
        /// Reads requests.
        case requests
        /// Reads responses; each needs an `expectResponse` before its first byte.
        case responses
    }

    /// Where the parser stands; every transition is in `next`.
    enum State: UInt8 {
        /// No byte of the next message has come, but maybe empty lines.
        case between
        /// A CR came where a message may begin.
        case emptyLine
        /// Within the start line.
        case startLine
        /// Within the field lines of the head.
        case fields
        /// The head is complete and its event is out.
        case headDone
        /// Within content of known length.
        case fixed
        /// Within a chunk's size line.
        case chunkLine
        /// Within a chunk's data.
        case chunkData
        /// A chunk's data is complete; CR is due.
        case chunkCR
        /// A chunk's data and CR are complete; LF is due.
        case chunkLF
        /// Within the trailer section.
        case trailers
        /// Within content that lasts until the stream ends.
        case untilClose
        /// The message is complete; its event is due.
        case complete
        /// The message is complete and its event is out.
        case after
        /// The protocol may change; the parser stands.
        case suspended
        /// The protocol has changed; the parser is done.
        case switched
        /// No message may follow; all input is dropped.
        case closed
        /// An error was thrown.
        case failed
    }

    /// What this parser reads.
    public let role: Role
    /// The limits this parser holds to.
    public let limits: HTTP1Limits
    /// What this parser accepts beyond the specification.
    public let leniency: HTTP1Leniency

    /// The current message's head; valid from `head` until the `next` after `end`.
    public internal(set) var head = HTTP1Head()
    /// The current message's trailer fields; valid from `trailers` until the `next` after `end`.
    public internal(set) var trailers = HTTP1Fields()
    /// How many bytes of the stream were consumed so far.
    public internal(set) var offset = 0

    var state = State.between
    var failure: HTTP1Error?
    var notes = HTTP1HeadNotes()
    /// Methods whose responses are due; those before `nextMethod` are answered.
    var methods: [HTTP1Method] = []
    var nextMethod = 0
    /// Empty lines skipped before the current message.
    var emptyLines = 0
    /// Where in the stream the head, the trailer section or the chunk line begins.
    var sectionStart = 0
    /// Where the incomplete line begins in `partial`.
    var lineStart = 0
    var sectionDone = false
    /// What came so far of a head, trailer section or chunk line that did not come in one piece.
    var partial: [UInt8] = []
    /// Bytes left of the content of known length or of the chunk.
    var remaining = 0
    /// Content bytes of this message so far, or promised by its chunk sizes.
    var bodyBytes = 0
    var extensionBytes = 0

    /// A parser at the start of a stream.
    public init(role: Role, limits: HTTP1Limits = .standard, leniency: HTTP1Leniency = []) {
        self.role = role
        self.limits = limits.clamped
        self.leniency = leniency
    }

    /// Says that a request was sent, so that the next response without one answers it; role `responses` only.
    ///
    /// The response to HEAD has no content, and a successful one to CONNECT opens a tunnel (RFC 9112 §6.3).
    public mutating func expectResponse(to method: HTTP1Method) {
        if nextMethod > 0, nextMethod == methods.count {
            methods.removeAll(keepingCapacity: true)
            nextMethod = 0
        }
        methods.append(method)
    }

    /// How many requests are unanswered: their final response has not come to its `end`.
    public var expectedResponses: Int { methods.count - nextMethod }

    /// Whether a message has begun and its end has not come, nor an error.
    public var isWithinMessage: Bool {
        switch state {
        case .between, .complete, .after, .suspended, .switched, .closed, .failed: false
        case .emptyLine, .startLine, .fields, .headDone, .fixed, .chunkLine, .chunkData, .chunkCR, .chunkLF, .trailers,
            .untilClose:
            true
        }
    }

    /// Whether no message has begun since the last one ended.
    public var isBetweenMessages: Bool { state == .between }

    /// Goes on with HTTP after `mightSwitch`, because the application keeps to it.
    public mutating func resumeAsHTTP() {
        guard state == .suspended else { return }
        state = head.keepAlive ? .between : .closed
    }

    /// The next event of `input` from `position` on, which moves past what was read; nil when all is read.
    ///
    /// Also nil, with input left over, while the parser stands after `mightSwitch` or `upgrade`. After the last
    /// message of a connection, the rest of the input is dropped.
    public mutating func next(
        _ input: Span<UInt8>, at position: inout Int
    ) throws(HTTP1Error) -> HTTP1Event? {
        let origin = offset - position
        defer { offset = origin + position }
        while true {
            switch state {
            case .between:
                guard position < input.count else {
                    releaseMessage()
                    return nil
                }
                try beginMessage(input, at: &position, origin: origin)
            case .emptyLine:
                guard position < input.count else { return nil }
                guard input[position] == ASCII.lineFeed else {
                    throw fail(.bareCR, at: origin + position - 1)
                }
                position += 1
                state = .between
            case .startLine, .fields:
                guard try readHead(input, at: &position, origin: origin) else { return nil }
                state = .headDone
                try finishHead()
                return .head
            case .headDone:
                beginBody()
            case .fixed:
                guard position < input.count else { return nil }
                return .body(takeBody(input, at: &position, then: .complete))
            case .chunkLine:
                guard try readChunkLine(input, at: &position, origin: origin) else { return nil }
                state = remaining > 0 ? .chunkData : .trailers
            case .chunkData:
                guard position < input.count else { return nil }
                return .body(takeBody(input, at: &position, then: .chunkCR))
            case .chunkCR:
                guard position < input.count else { return nil }
                state = try readChunkEnd(input[position], origin: origin + position)
                position += 1
            case .chunkLF:
                guard position < input.count else { return nil }
                guard input[position] == ASCII.lineFeed else { throw fail(.badChunkEnd, at: origin + position) }
                position += 1
                state = .chunkLine
            case .trailers:
                guard try readTrailers(input, at: &position, origin: origin) else { return nil }
                state = .complete
                if !trailers.isEmpty { return .trailers }
            case .untilClose:
                guard position < input.count else { return nil }
                guard remaining > 0 else { throw fail(.bodyTooLarge, at: origin + position) }
                return .body(takeBody(input, at: &position, then: .untilClose))
            case .complete:
                state = .after
                return .end
            case .after:
                if let event = finishMessage() { return event }
            case .suspended, .switched:
                return nil
            case .closed:
                position = input.count
                return nil
            case .failed:
                if let failure { throw failure }
                return nil
            }
        }
    }

    /// Says that the stream was cut off, by a reset for example: as `receiveEnd`, but never a legal end of content.
    public mutating func receiveReset() throws(HTTP1Error) {
        guard state != .untilClose else { throw fail(.unexpectedEOF, in: offset..<offset) }
        while try receiveEnd() != nil {}
    }

    /// Says that the stream has ended: nil at a clean boundary, `end` for content that lasts until the close.
    ///
    /// Throws `unexpected-eof` within a message. Call it after `next` returned nil, until it returns nil too.
    public mutating func receiveEnd() throws(HTTP1Error) -> HTTP1Event? {
        switch state {
        case .untilClose:
            state = .complete
        case .between, .suspended, .switched, .closed:
            return nil
        case .headDone, .complete, .after, .failed:
            break
        case .emptyLine, .startLine, .fields, .fixed, .chunkLine, .chunkData, .chunkCR, .chunkLF, .trailers:
            throw fail(.unexpectedEOF, in: offset..<offset)
        }
        // What is due without further input: an end, and what follows from it.
        let none: [UInt8] = []
        var position = 0
        if let event = try next(none.span, at: &position) { return event }
        return try receiveEnd()
    }
}
