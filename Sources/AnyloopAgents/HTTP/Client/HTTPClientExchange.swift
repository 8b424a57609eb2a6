import AnyloopCore
import AnyloopWire
import HTTPTypes

/// A request's body.
public enum HTTPClientBody: Sendable {
    /// No body.
    case none
    /// A body of known bytes; can be sent again after a redirect or on another connection.
    case bytes([UInt8])
    /// A body that is written piece by piece, of `length` bytes, or chunked where that is nil.
    case stream(length: Int64?)

    var isReplayable: Bool {
        if case .stream = self { false } else { true }
    }

    /// Whether there may be content to send.
    var hasContent: Bool {
        switch self {
        case .none: false
        case .bytes(let bytes): !bytes.isEmpty
        case .stream: true
        }
    }
}

/// One request and its response on one connection. Confined to the loop's thread.
///
/// Set the callbacks, then give it to `HTTPClientProtocol.start`. Exactly one of `onEnd`, `onSwitch` and `onError`
/// comes, last.
public final class HTTPClientExchange {
    /// Makes the protocol that takes a transport over, given the response and what was received behind it.
    public typealias Successor = (HTTPResponse, any StreamTransport, [UInt8]) throws -> any StreamProtocol

    enum RequestPhase {
        /// Not sent.
        case waiting
        /// The head is out, the body is held for 100 (RFC 9110 §10.1.1).
        case holding
        /// The body is on its way.
        case sending
        /// Complete.
        case sent
        /// Given up, because the response came first.
        case stopped
    }

    /// The request.
    public let request: HTTPRequest
    /// Its body.
    public let body: HTTPClientBody

    /// An interim response (1xx); none or many.
    public var onInformational: ((HTTPResponse) throws -> Void)?
    /// The final response's head.
    public var onResponse: ((HTTPResponse) throws -> Void)?
    /// A piece of the response's body, lent for the length of the call.
    public var onBody: ((Span<UInt8>) throws -> Void)?
    /// The response is complete; with trailers if it had any.
    public var onEnd: ((HTTPFields?) throws -> Void)?
    /// There will be no complete response.
    public var onError: ((HTTPClientError) -> Void)?
    /// The body of a `.stream` may be written: the head is out and, where it was asked for, 100 has come.
    public var onBodyWanted: (() throws -> Void)?
    /// The write buffer has drained after `isWritable` was false.
    public var onWritable: (() throws -> Void)?
    /// The server agreed to another protocol or a tunnel; without it that is an error.
    public var onSwitch: Successor?

    weak var connection: HTTPClientProtocol?
    var requestPhase = RequestPhase.waiting
    var framing = HTTPRequestFraming.none
    /// Bytes of `.bytes` that are written.
    var bodyPosition = 0
    var hasResponse = false
    var isResponsePaused = false
    /// Whether a byte of the response, interim ones included, has come.
    var hasHeard = false

    /// An exchange for `request`.
    public init(_ request: HTTPRequest, body: HTTPClientBody = .none) {
        self.request = request
        self.body = body
    }

    /// Whether pieces of the body may be written and the write buffer is below its high watermark.
    public var isWritable: Bool { requestPhase == .sending && connection?.isWritePaused == false }

    /// Whether the server answered before it had the whole body, so that the rest is not sent.
    public var isRequestStopped: Bool { requestPhase == .stopped }

    /// Sends a piece of a `.stream` body. Dropped once `isRequestStopped`.
    ///
    /// - Throws: `HTTPClientError.badRequest` before `onBodyWanted`, or for more than the length that was named.
    public func write(_ bytes: [UInt8]) throws(HTTPClientError) {
        switch requestPhase {
        case .stopped: return
        case .sending: break
        case .waiting, .holding, .sent: throw .badRequest("write comes after onBodyWanted and before finish")
        }
        try connection?.write(self, bytes)
    }

    /// Ends a `.stream` body. Trailers go out where the body is chunked.
    ///
    /// - Throws: `HTTPClientError.badRequest` before `onBodyWanted`, or if bytes are missing.
    public func finish(trailers: HTTPFields? = nil) throws(HTTPClientError) {
        switch requestPhase {
        case .stopped: return
        case .sending: break
        case .waiting, .holding, .sent: throw .badRequest("finish comes after onBodyWanted, once")
        }
        try connection?.finish(self, trailers)
    }

    /// Holds up the response's body: no more callbacks until `resumeBody`.
    public func pauseBody() {
        isResponsePaused = true
    }

    /// Undoes `pauseBody`; what waits is delivered in a later turn.
    public func resumeBody() {
        guard isResponsePaused else { return }
        isResponsePaused = false
        connection?.scheduleResume()
    }

    /// Gives up: the connection is aborted, `onError` gets `.cancelled`.
    public func cancel() {
        connection?.fail(.cancelled)
    }

    /// Lets go of the callbacks, which may hold this exchange.
    func release() {
        onInformational = nil
        onResponse = nil
        onBody = nil
        onEnd = nil
        onError = nil
        onBodyWanted = nil
        onWritable = nil
        onSwitch = nil
    }
}
