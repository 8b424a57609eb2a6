import AnyloopWire
import Logging

/// How an HTTP/1.1 server treats its connections; every limit's value is the greatest accepted.
public struct HTTPServerOptions: Sendable {
    /// What a request may hold at most; beyond it 413, 414 or 431.
    public var limits = HTTP1Limits.standard
    /// What the parser forgives; nothing by default.
    public var leniency: HTTP1Leniency = []

    /// The value of the `Server` field (RFC 9110 §10.2.4); nil sends none.
    public var serverName: String? = "anyloop"
    /// Whether responses carry `Date` (RFC 9110 §6.6.1).
    public var sendsDate = true
    /// Nanoseconds since 1970, for `Date`; asked once a second at most.
    public var wallClock: @Sendable () -> Int64 = { WallClock.nanoseconds() }

    /// How long a connection may wait for the first byte of a request; then it is closed without a word.
    public var idleTimeout = Duration.seconds(75)
    /// From a request's first byte to the end of its head; then 408 (RFC 9110 §15.5.9).
    public var headerTimeout = Duration.seconds(30)
    /// Between two pieces of a request's body that is being read; then 408, or an abort if the response began.
    public var bodyTimeout = Duration.seconds(30)
    /// From the end of a request to the end of its response; then 503, or an abort if the response began.
    /// Nil: the handler takes as long as it needs.
    public var handlerTimeout: Duration?
    /// How long a peer may take nothing of what is queued for it; then the connection is aborted.
    public var writeTimeout = Duration.seconds(60)

    /// Bytes received and not yet handled: pipelined requests behind the one in work, or a body that the handler
    /// does not take. Above it reading pauses; one read may go beyond.
    public var pendingInputLimit = 65536
    /// Bytes of a body that the handler left unread which are drained to keep the connection; beyond it is closed.
    public var unreadBodyLimit = 262_144
    /// Requests answered on one connection; the last response says `Connection: close`. Nil: no limit.
    public var requestLimit: Int?

    /// Bytes discarded after an error's response, so that the peer reads it rather than a reset (RFC 9112 §9.6).
    public var lingerByteLimit = 1_048_576
    /// How long the discarding may take.
    public var lingerTimeout = Duration.seconds(5)

    /// Where refused requests, failing handlers and failed TLS handshakes are logged; nil is silent.
    public var logger: Logger?

    /// The defaults.
    public init() {}
}
