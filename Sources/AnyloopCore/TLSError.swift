/// What went wrong in TLS: on which side, with which certificate, and what to do about it.
public struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Kind: Hashable, Sendable {
        /// We refused the peer's certificate.
        case certificate(CertificateFault)
        /// The peer gave up with this alert (RFC 8446 §6.2), such as 48 for `unknown_ca`.
        case alert(UInt8)
        /// The two sides have no protocol version in common.
        case noCommonVersion
        /// The two sides have no cipher, group or signature algorithm in common.
        case noCommonCipher
        /// The two sides have no application protocol in common (RFC 7301 §3.2).
        case noCommonProtocol
        /// We have no certificate for the name that was asked for (RFC 6066 §3).
        case unrecognizedName
        /// What came is no TLS at all, for example an HTTP request on a TLS port.
        case plainText
        /// Records or messages that break the protocol, or that were changed on the way.
        case malformed
        /// The connection ended without `close_notify`: what came may be cut short (RFC 8446 §6.1).
        case truncated
        /// Bytes came in the clear after the upgrade to TLS was agreed: somebody may have injected them.
        case surplusPlaintext
        /// Certificates, keys or settings that cannot be used.
        case configuration
        /// OpenSSL itself failed, for example without memory.
        case `internal`
    }

    /// What kind of failure it is.
    public var kind: Kind
    /// One sentence: what failed, which certificate, and the remedy.
    public var text: String
    /// OpenSSL's name for it in Python's spelling, such as `CERTIFICATE_VERIFY_FAILED`; empty if it has none.
    public var reason: String

    /// A failure.
    public init(_ kind: Kind, _ text: String, reason: String = "") {
        self.kind = kind
        self.text = text
        self.reason = reason
    }

    /// The sentence.
    public var description: String { text }
}

/// Why a certificate was refused.
public enum CertificateFault: Hashable, Sendable {
    /// Its time is over.
    case expired
    /// Its time has not begun.
    case notYetValid
    /// It was made for other names.
    case wrongHost
    /// It has a wildcard that would fit if wildcards might stand for more than one whole label before a domain.
    case wildcardTooWide
    /// Its chain is complete, but ends at a root that is not trusted.
    case unknownRoot
    /// It is signed by itself and not trusted.
    case selfSigned
    /// It is not meant for this use, such as a client's certificate on a server.
    case wrongPurpose
    /// Its key is too short.
    case weakKey
    /// It is signed with an algorithm that is no longer safe.
    case weakSignature
    /// It was revoked.
    case revoked
    /// Whether it was revoked cannot be told: no revocation list, or an outdated one.
    case noRevocationList
    /// The certificate that signed it was not sent and is not known.
    case missingIntermediate
    /// The chain has more certificates than one of them allows.
    case pathTooLong
    /// A certificate in the chain signed another without being an authority.
    case notAuthority
    /// A name in it is outside of what its authority may sign for.
    case nameNotPermitted
    /// Its signature does not fit.
    case badSignature
    /// None was sent, and one is required.
    case missing
    /// Something else; OpenSSL's number (`X509_V_ERR_…`).
    case other(Int32)
}
