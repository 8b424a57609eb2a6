/// What a handshake agreed on; kept after the close (asyncio's extra info `cipher`, `peercert`, `ssl_object`).
public struct TLSInfo: Hashable, Sendable {
    /// The protocol version: `TLSv1.2` or `TLSv1.3`.
    public var version: String
    /// The cipher by OpenSSL's name, such as `TLS_AES_256_GCM_SHA384`.
    public var cipher: String
    /// The strength of its key in bits.
    public var cipherBits: Int
    /// The application protocol that was agreed on (RFC 7301); nil for none.
    public var alpn: String?
    /// The name that the client asked for (SNI, RFC 6066 §3); nil for none.
    public var serverName: String?
    /// The peer's certificates as DER, its own first; empty if it sent none. A resumed session has the first only.
    public var peerCertificates: [[UInt8]]
    /// Whether an earlier session was resumed.
    public var isResumed: Bool
    /// How the peer ended its side; nil while it has not.
    public var ending: TLSEnding?

    /// All of it.
    public init(
        version: String, cipher: String, cipherBits: Int, alpn: String?, serverName: String?,
        peerCertificates: [[UInt8]], isResumed: Bool, ending: TLSEnding?
    ) {
        self.version = version
        self.cipher = cipher
        self.cipherBits = cipherBits
        self.alpn = alpn
        self.serverName = serverName
        self.peerCertificates = peerCertificates
        self.isResumed = isResumed
        self.ending = ending
    }
}

/// How the peer of a TLS connection ended its side.
public enum TLSEnding: Hashable, Sendable {
    /// With `close_notify`: everything it sent has arrived (RFC 8446 §6.1).
    case closeNotify
    /// Without: what arrived may have been cut short by somebody else.
    case truncated
}
