/// How the end of a message's content is known (RFC 9112 §6.3).
public enum HTTP1Framing: Sendable, Equatable {
    /// There is no content.
    case none
    /// Content of this many bytes.
    case length(Int)
    /// Chunks, then trailers.
    case chunked
    /// All until the connection closes; responses only.
    case untilClose
}

/// The form of a request's target (RFC 9112 §3.2).
public enum HTTP1TargetForm: Sendable, Equatable {
    /// `/path?query`.
    case origin
    /// `http://host/path?query`.
    case absolute
    /// `host:port`, of CONNECT.
    case authority
    /// `*`, of OPTIONS.
    case asterisk
}
