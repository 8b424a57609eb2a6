/// Why an HTTP/1 parser refused its input; the raw value is the code that fixtures name.
public enum HTTP1ErrorCode: String, Sendable, CaseIterable {
    /// A request's method isn't a token (RFC 9110 §9.1).
    case badMethod = "bad-method"
    /// A request's target is none of the four forms (RFC 9112 §3.2).
    case badTarget = "bad-target"
    /// A version isn't `HTTP/d.d` (RFC 9112 §2.3).
    case badVersion = "bad-version"
    /// A major version other than 1.
    case unsupportedVersion = "unsupported-version"
    /// A request line isn't `method SP target SP version` (RFC 9112 §3).
    case badRequestLine = "bad-request-line"
    /// A request line is past `HTTP1Limits.requestLine`.
    case requestLineTooLong = "request-line-too-long"
    /// A status line isn't `version SP 3DIGIT SP [reason]` (RFC 9112 §4).
    case badStatusLine = "bad-status-line"
    /// A status line is past `HTTP1Limits.requestLine`.
    case statusLineTooLong = "status-line-too-long"
    /// A field's name is empty or not a token (RFC 9110 §5.1).
    case badHeaderName = "bad-header-name"
    /// A field's value has a control character (RFC 9110 §5.5).
    case badHeaderValue = "bad-header-value"
    /// A field line lacks a colon (RFC 9112 §5).
    case headerWithoutColon = "header-without-colon"
    /// Blanks before a field's colon (RFC 9112 §5.1).
    case spaceBeforeColon = "space-before-colon"
    /// A folded field line (RFC 9112 §5.2).
    case obsFold = "obs-fold"
    /// A CR without LF (RFC 9112 §2.2).
    case bareCR = "bare-cr"
    /// A line that ends in LF without CR (RFC 9112 §2.2).
    case bareLF = "bare-lf"
    /// A NUL in a start line or field value (RFC 9110 §5.5).
    case nul
    /// A field line is past `HTTP1Limits.fieldLine`.
    case headerLineTooLong = "header-line-too-long"
    /// More fields than `HTTP1Limits.fieldCount`.
    case tooManyHeaders = "too-many-headers"
    /// A head past `HTTP1Limits.headSize`.
    case headTooLarge = "head-too-large"
    /// An HTTP/1.1 request without Host (RFC 9112 §3.2).
    case missingHost = "missing-host"
    /// A second Host field (RFC 9112 §3.2).
    case duplicateHost = "duplicate-host"
    /// A Host that isn't `uri-host [":" port]` (RFC 9110 §7.2).
    case badHost = "bad-host"
    /// A Host that differs from the authority of an absolute target (RFC 9112 §3.2).
    case hostMismatch = "host-mismatch"
    /// A Content-Length that isn't one number, or stands where none may (RFC 9110 §8.6).
    case badContentLength = "bad-content-length"
    /// Content-Length fields that differ (RFC 9112 §6.3).
    case differingContentLengths = "differing-content-lengths"
    /// Both Content-Length and Transfer-Encoding (RFC 9112 §6.3).
    case lengthAndEncoding = "length-and-encoding"
    /// Transfer-Encoding in an HTTP/1.0 message (RFC 9112 §6.1).
    case encodingInHTTP10 = "encoding-in-http10"
    /// A Transfer-Encoding that is malformed, empty, twice chunked, or stands where none may (RFC 9112 §6.1).
    case badTransferEncoding = "bad-transfer-encoding"
    /// A transfer coding that this parser doesn't undo (RFC 9112 §6.1).
    case unknownTransferCoding = "unknown-transfer-coding"
    /// A request whose last transfer coding isn't chunked (RFC 9112 §6.3).
    case chunkedNotLast = "chunked-not-last"
    /// A chunk size that isn't hexadecimal digits (RFC 9112 §7.1).
    case badChunkSize = "bad-chunk-size"
    /// A chunk size of more than 16 digits or past 63 bits (RFC 9112 §7.1).
    case chunkSizeOverflow = "chunk-size-overflow"
    /// A malformed chunk extension (RFC 9112 §7.1.1).
    case badChunkExtension = "bad-chunk-extension"
    /// Chunk extensions past `HTTP1Limits.chunkExtension` or `chunkExtensionTotal`.
    case chunkExtensionTooLong = "chunk-extension-too-long"
    /// A chunk's data without CRLF after it (RFC 9112 §7.1).
    case badChunkEnd = "bad-chunk-end"
    /// A malformed trailer field: bad name or value, no colon, blanks before it, or folded (RFC 9112 §7.1.2).
    case badTrailer = "bad-trailer"
    /// A trailer field of framing, routing or request modification (RFC 9110 §6.5.1).
    case forbiddenTrailer = "forbidden-trailer"
    /// A trailer section past `HTTP1Limits.trailerSize`.
    case trailersTooLarge = "trailers-too-large"
    /// Content past `HTTP1Limits.bodySize`.
    case bodyTooLarge = "body-too-large"
    /// An Expect other than `100-continue` (RFC 9110 §10.1.1).
    case badExpectation = "bad-expectation"
    /// The stream ended within a message (RFC 9112 §8).
    case unexpectedEOF = "unexpected-eof"
    /// Bytes of a response that no request is waiting for.
    case unsolicitedResponse = "unsolicited-response"
}

/// A message that an HTTP/1 parser refused: why, and where in the stream.
public struct HTTP1Error: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    public let code: HTTP1ErrorCode
    /// Which bytes are wrong, counted from the first byte the parser was given.
    public let offsets: Range<Int>

    /// An error of `code` at `offsets` of the stream.
    public init(_ code: HTTP1ErrorCode, at offsets: Range<Int>) {
        self.code = code
        self.offsets = offsets
    }

    /// The status a server answers with: 400, 413, 414, 417, 431, 501 or 505.
    public var suggestedStatus: Int {
        switch code {
        case .bodyTooLarge: 413
        case .requestLineTooLong: 414
        case .badExpectation: 417
        case .headerLineTooLong, .tooManyHeaders, .headTooLarge, .trailersTooLarge: 431
        case .unknownTransferCoding: 501
        case .unsupportedVersion: 505
        default: 400
        }
    }

    /// One sentence: what is wrong, where, and the remedy.
    public var description: String {
        "\(Self.text(of: code)) (\(code.rawValue) at bytes \(offsets.lowerBound)..<\(offsets.upperBound))"
    }

    private static func text(of code: HTTP1ErrorCode) -> String {
        switch code {
        case .badMethod: "the method is not a token; send letters, digits and !#$%&'*+-.^_`|~"
        case .badTarget: "the request target is malformed; percent-encode it, and use a form that fits the method"
        case .badVersion: "the version is not HTTP/digit.digit; send HTTP/1.1"
        case .unsupportedVersion: "only HTTP/1.x is spoken here; send HTTP/1.1"
        case .badRequestLine: "the request line is not a method, a target and a version with one space between"
        case .requestLineTooLong: "the request line is too long; shorten it or raise HTTP1Limits.requestLine"
        case .badStatusLine: "the status line is not a version, three digits and a reason with one space between"
        case .statusLineTooLong: "the status line is too long; shorten it or raise HTTP1Limits.requestLine"
        case .badHeaderName: "the field name is not a token; send letters, digits and !#$%&'*+-.^_`|~"
        case .badHeaderValue: "the field value has a control character; remove or encode it"
        case .headerWithoutColon: "the field line has no colon; send name: value"
        case .spaceBeforeColon: "there is white space before the field's colon; remove it"
        case .obsFold: "the field line is folded; send it as one line"
        case .bareCR: "there is a CR without LF; remove or encode it"
        case .bareLF: "the line ends in LF alone; end lines with CRLF"
        case .nul: "there is a NUL byte; remove or encode it"
        case .headerLineTooLong: "the field line is too long; shorten it or raise HTTP1Limits.fieldLine"
        case .tooManyHeaders: "there are too many fields; send fewer or raise HTTP1Limits.fieldCount"
        case .headTooLarge: "the head is too large; send less or raise HTTP1Limits.headSize"
        case .missingHost: "the HTTP/1.1 request has no Host field; send one"
        case .duplicateHost: "there is more than one Host field; send one"
        case .badHost: "the Host field is not a host with an optional port"
        case .hostMismatch: "the Host field differs from the target's authority; send the same in both"
        default: bodyText(of: code)
        }
    }

    private static func bodyText(of code: HTTP1ErrorCode) -> String {
        switch code {
        case .badContentLength:
            "the Content-Length is not one decimal number, or stands where none may; send one or none"
        case .differingContentLengths: "the Content-Length fields differ; send one"
        case .lengthAndEncoding: "both Content-Length and Transfer-Encoding are present; send one of them"
        case .encodingInHTTP10: "an HTTP/1.0 message has Transfer-Encoding; send Content-Length"
        case .badTransferEncoding: "the Transfer-Encoding is malformed or stands where none may; send chunked or none"
        case .unknownTransferCoding: "the transfer coding is not supported; send chunked"
        case .chunkedNotLast: "the last transfer coding is not chunked; send chunked"
        case .badChunkSize: "the chunk size is not hexadecimal digits alone"
        case .chunkSizeOverflow: "the chunk size is too great; send smaller chunks"
        case .badChunkExtension: "the chunk extension is malformed; send ;name=value or none"
        case .chunkExtensionTooLong: "the chunk extensions are too long; send less or raise HTTP1Limits.chunkExtension"
        case .badChunkEnd: "the chunk's data is not followed by CRLF; send as many bytes as its size says"
        case .badTrailer: "the trailer field is malformed; send name: value on one line"
        case .forbiddenTrailer: "the field may not be sent as a trailer; send it in the head"
        case .trailersTooLarge: "the trailers are too large; send less or raise HTTP1Limits.trailerSize"
        case .bodyTooLarge: "the content is too large; send less or raise HTTP1Limits.bodySize"
        case .badExpectation: "the expectation is not supported; send Expect: 100-continue or none"
        case .unexpectedEOF: "the stream ended within a message; send all of it before closing"
        case .unsolicitedResponse: "there are bytes that answer no request; send one response to each request"
        default: code.rawValue
        }
    }
}
