import AnyloopCore
import AnyloopWire

/// Why a proxy made no tunnel (RFC 9110 §9.3.6).
public enum HTTPTunnelError: Error, CustomStringConvertible {
    /// The proxy answered with a status other than 2xx.
    case refused(status: Int, reason: String)
    /// The connection to the proxy was lost; with the cause, nil where the proxy closed it.
    case connectionLost(TransportError?)
    /// The answer is malformed or past a limit of `HTTP1Limits`.
    case malformedAnswer(HTTP1Error)
    /// Bytes came behind the answer's head, before we said anything to the server.
    case surplusBytes(count: Int)
    /// The answer was not complete in time.
    case timedOut(after: Duration)

    /// One sentence.
    public var description: String {
        switch self {
        case .refused(407, _): "it answered 407 Proxy Authentication Required; give it a login that it accepts"
        case .refused(let status, let reason): "it answered \(status)\(reason.isEmpty ? "" : " ")\(reason)"
        case .connectionLost(nil): "it closed the connection instead of answering"
        case .connectionLost(let error?): "the connection to it was lost: \(error)"
        case .malformedAnswer(let error): "its answer is malformed: \(error)"
        case .surplusBytes(let count): "\(count) bytes came through the tunnel before anything was asked"
        case .timedOut(let after): "it did not answer within \(after)"
        }
    }
}
