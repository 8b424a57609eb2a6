import AnyloopCore
import AnyloopWire

/// Why an exchange ended before its response was finished.
public enum HTTPServerError: Error, CustomStringConvertible {
    /// The connection is gone; with the cause, nil after a clean close by the peer.
    case connectionLost(TransportError?)
    /// The rest of the request is malformed or too large.
    case malformedRequest(HTTP1Error)
    /// A deadline of `HTTPServerOptions` is over; `what` names the wait.
    case timedOut(what: String, after: Duration)
    /// The handler threw after the response had begun.
    case handlerFailed(any Error)
    /// The handler contradicted itself, for example wrote more than its `Content-Length` says.
    case misuse(String)

    /// One sentence.
    public var description: String {
        switch self {
        case .connectionLost(nil): "the peer closed the connection"
        case .connectionLost(let error?): "the connection was lost: \(error)"
        case .malformedRequest(let error): error.description
        case .timedOut(let what, let after): "\(what) took longer than \(after)"
        case .handlerFailed(let error): "the handler failed: \(error)"
        case .misuse(let text): text
        }
    }
}
