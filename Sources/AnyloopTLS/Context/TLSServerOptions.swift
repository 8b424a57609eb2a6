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
    /// label more. Names that are not here get this context itself, and so do clients that name none.
    ///
    /// Everything is taken from the other context but the keys of tickets, which are this one's, and names of its own.
    public var contextsByName: [String: TLSServerContext] = [:]
    /// Whether names that are not in `contextsByName` are refused (`unrecognized_name`) instead.
    public var refusesUnknownNames = false
    /// Whether clients have to show a certificate.
    public var clientCertificates = ClientCertificates.none
    /// Lists of client certificates that were taken back; nil: none are looked at.
    public var revocation: TLSRevocation?
    /// Tickets sent after a full handshake of TLS 1.3, each good for one resumption; 0: no session is resumed.
    public var ticketCount = 2
    /// What tickets are encrypted with; nil: keys of this context alone.
    ///
    /// Contexts with the same keys resume each other's sessions if they also ask the same of clients: certificates,
    /// whom they trust to sign them, and revocation lists. After a change of those every client shows its certificate
    /// anew.
    public var ticketKeys: TLSTicketKeys?

    /// A server with a certificate.
    public init(identity: TLSIdentity) {
        self.identity = identity
    }
}

extension TLSServerOptions {
    /// What sessions are bound to: what this server asked of the client when the session began.
    var sessionScope: [UInt8] {
        let (kind, trust): (String, TLSTrust?) =
            switch clientCertificates {
            case .none: ("none", nil)
            case .requested(let trust): ("requested", trust)
            case .required(let trust): ("required", trust)
            }
        var scope = Array("anyloop \(kind)".utf8)
        for source in trust?.sources ?? [] {
            switch source {
            case .system: scope += Array(" system".utf8)
            case .directory(let path): scope += Array(" directory \(path)".utf8)
            case .pem(let text, _): scope += Array(" pem ".utf8) + text
            }
        }
        if let revocation { scope += Array(" lists \(revocation.scope) ".utf8) + revocation.lists }
        return scope
    }
}

extension String {
    /// Whether clients can ask for it: a host name in ASCII, or one behind `*.`.
    fileprivate var isHost: Bool { !isEmpty && !hasPrefix(".") && utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 42 } }

    /// Whether a context can be given for it.
    var isServedName: Bool { hasPrefix("*.") ? String(dropFirst(2)).isHost : isHost }
}
