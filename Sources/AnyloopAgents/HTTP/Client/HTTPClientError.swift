import AnyloopCore
import AnyloopWire

/// Why a request got no complete response.
public enum HTTPClientError: Error, CustomStringConvertible {
    /// The request cannot be sent as it is; the text says what to change.
    case badRequest(String)
    /// The connection could not be made.
    case connect(TransportError)
    /// The proxy made no tunnel to `to`.
    case tunnel(to: String, HTTPTunnelError)
    /// The connection was lost; with the cause, nil where the server closed it before it answered.
    case connectionLost(TransportError?)
    /// The response is malformed or past a limit of `HTTP1Limits`.
    case malformedResponse(HTTP1Error)
    /// A wait reached its limit; `what` names the wait.
    case timedOut(what: String, after: Duration)
    /// More redirects than `HTTPClientOptions.redirectLimit`.
    case tooManyRedirects(limit: Int)
    /// A redirect to somewhere this client does not go.
    case badRedirect(String)
    /// A redirect from `https` to `http`, which `HTTPClientOptions.followsRedirectsToPlainHTTP` would follow.
    case insecureRedirect(String)
    /// More requests wait for a connection than `HTTPClientOptions.waitingLimit`.
    case tooManyWaiting(limit: Int)
    /// The response's content coding is damaged.
    case badContentCoding(String)
    /// The body is greater than `limit` bytes, once its content coding is undone.
    case bodyTooLarge(limit: Int)
    /// The server switched protocols and nobody wanted it.
    case unexpectedSwitch
    /// A callback of the application threw.
    case callbackFailed(any Error)
    /// The request was cancelled by the side that made it.
    case cancelled

    /// What went wrong in TLS, if it was that: with the certificate and the reason.
    public var tlsError: TLSError? {
        switch self {
        case .connect(.tls(let error)), .connectionLost(.tls(let error)?),
            .tunnel(_, .connectionLost(.tls(let error)?)):
            error
        default: nil
        }
    }

    /// One sentence.
    public var description: String {
        switch self {
        case .badRequest(let text): "the request cannot be sent: \(text)"
        case .connect(let error): "cannot connect: \(error)"
        case .tunnel(let target, let error): "the proxy made no tunnel to \(target): \(error)"
        case .connectionLost(nil): "the server closed the connection before the response was complete"
        case .connectionLost(let error?): "the connection was lost: \(error)"
        case .malformedResponse(let error): "the response is malformed: \(error)"
        case .timedOut(let what, let after): "\(what) took longer than \(after)"
        case .tooManyRedirects(let limit): "more than \(limit) redirects"
        case .badRedirect(let target): "redirected to '\(target)', which is no http URL; follow it by other means"
        case .insecureRedirect(let target):
            "redirected from https to '\(target)', which is not encrypted; ask for it, or set "
                + "followsRedirectsToPlainHTTP, if that is meant"
        case .tooManyWaiting(let limit): "more than \(limit) requests wait for a connection; raise waitingLimit"
        case .badContentCoding(let text): "the response's content coding is damaged: \(text)"
        case .bodyTooLarge(let limit): "the body is greater than \(limit) bytes; raise the limit"
        case .unexpectedSwitch: "the server switched protocols without being asked"
        case .callbackFailed(let error): "a callback failed: \(error)"
        case .cancelled: "the request was cancelled"
        }
    }
}
