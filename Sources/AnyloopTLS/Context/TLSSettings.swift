/// What client and server contexts have in common: versions, ciphers, application protocols.
public struct TLSSettings: Sendable {
    /// The oldest version that is spoken.
    public var minimumVersion = TLSVersion.v1_2
    /// The newest version that is spoken.
    public var maximumVersion = TLSVersion.v1_3
    /// Ciphers of TLS 1.2 by OpenSSL's names, best first, joined by colons.
    ///
    /// The default has forward secrecy and authenticated encryption only (RFC 9325 §4.2).
    /// OpenSSL's security level is 2: RSA from 2048 bits, EC from 224, no signatures with SHA-1 or MD5, in certificates
    /// too. `@SECLEVEL=n` at the end of the list sets another one.
    public var ciphers = TLSSettings.standardCiphers
    /// Cipher suites of TLS 1.3 by OpenSSL's names, best first, joined by colons; nil leaves OpenSSL's.
    public var cipherSuites: String?
    /// Groups for the key exchange by OpenSSL's names, best first, joined by colons; nil leaves OpenSSL's.
    public var groups: String? = "X25519:P-256:P-384"
    /// Signature algorithms by OpenSSL's names, best first, joined by colons; nil leaves OpenSSL's.
    public var signatureAlgorithms: String?
    /// Application protocols, best first (RFC 7301): each 1 to 255 bytes. Empty: none are agreed on.
    public var applicationProtocols: [String] = []
    /// Gets the secrets of every connection, a line each in NSS's key log format, on any thread: for Wireshark.
    ///
    /// Whoever has them can read everything. Nil, the default, keeps them.
    public var keyLog: (@Sendable (String) -> Void)?

    /// Forward secrecy and authenticated encryption only.
    public static let standardCiphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

    /// The defaults.
    public init() {}
}
