import AnyloopCore

/// How one TLS connection begins and ends.
public struct TLSConnectionOptions: Sendable {
    /// What a connection's end without `close_notify` is to the protocol.
    public enum Truncation: Sendable, Hashable {
        /// An error: no `eofReceived`, `connectionLost` gets `TLSError` (`.truncated`).
        case error
        /// An end like any other, as in asyncio (rule 128); `TLSInfo.ending` tells the difference.
        case endOfStream
    }

    /// From the connection's start to the end of the handshake; then it is aborted (asyncio rule 121).
    public var handshakeTimeout = Duration.seconds(60)
    /// From `close` until everything is sent and the peer has said `close_notify`; then it is aborted (rule 121).
    ///
    /// Begins anew if the peer took some of what was queued meanwhile, so that slow readers get all of it.
    public var shutdownTimeout = Duration.seconds(30)
    /// Whether a close waits for the peer's `close_notify`, as asyncio does (rule 126); it need not (RFC 8446 §6.1).
    public var awaitsCloseNotify = true
    /// What an end without `close_notify` is.
    public var truncation = Truncation.error
    /// On a server: sent in the clear to whoever sends plain text, such as an HTTP request, instead of a handshake.
    public var plainTextAnswer: [UInt8] = []

    /// After a failure the alert is sent and what still comes is discarded, so that the peer reads the alert rather
    /// than a reset: for so long at most.
    public static let lingerTimeout = Duration.seconds(1)
    /// And up to so many bytes.
    public static let lingerByteLimit = 262_144

    /// The defaults.
    public init() {}
}

extension TLSConnectionOptions {
    /// - Throws: `TransportError.usage` for a time-out that is not positive (asyncio rule 121).
    func check() throws(TransportError) {
        let timeouts = [("ssl_handshake_timeout", handshakeTimeout), ("ssl_shutdown_timeout", shutdownTimeout)]
        for (name, timeout) in timeouts where timeout <= .zero {
            let (seconds, attoseconds) = timeout.components
            let text = attoseconds == 0 ? "\(seconds)" : "\(Double(seconds) + Double(attoseconds) / 1e18)"
            throw .usage(.argument("\(name) should be a positive number, got \(text)"))
        }
    }
}
