/// How a server uses TLS.
public struct TLSServerOptions: Sendable {
    /// Whether clients have to show a certificate.
    public enum ClientCertificates: Sendable {
        /// They are not asked.
        case none
        /// They are asked; who has none gets in, who has a bad one does not.
        case requested(TLSTrust)
        /// Who has none, or a bad one, does not get in.
        case required(TLSTrust)
    }

    /// Versions, ciphers, application protocols.
    public var settings = TLSSettings()
    /// Our certificate and key.
    public var identity: TLSIdentity
    /// Contexts for the names that clients ask for (SNI, RFC 6066 §3): `example.org`, or `*.example.org` for one
    /// label more. Names that are not here get this context itself. Only certificate, client certificates,
    /// versions, and application protocols are taken from the other context.
    public var contextsByName: [String: TLSServerContext] = [:]
    /// Whether names that are not in `contextsByName` are refused (`unrecognized_name`) instead.
    public var refusesUnknownNames = false
    /// Whether clients have to show a certificate.
    public var clientCertificates = ClientCertificates.none
    /// Lists of client certificates that were taken back; nil: none are looked at.
    public var revocation: TLSRevocation?
    /// Tickets sent after a full handshake of TLS 1.3, each good for one resumption; 0: no session is resumed.
    public var ticketCount = 2
    /// What tickets are encrypted with. Contexts with the same keys resume each other's sessions.
    public var ticketKeys: TLSTicketKeys?

    /// A server with a certificate.
    public init(identity: TLSIdentity) {
        self.identity = identity
    }
}
