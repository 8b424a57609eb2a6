/// How a client uses TLS; safe unless it is told otherwise.
public struct TLSClientOptions: Sendable {
    /// Versions, ciphers, application protocols.
    public var settings = TLSSettings()
    /// Whose signatures on the server's certificate are trusted.
    public var trust = TLSTrust.system
    /// Lists of certificates that were taken back; nil: none are looked at.
    public var revocation: TLSRevocation?
    /// Whether the server's certificate is checked. Off, everybody in between can read and change everything.
    public var verifiesCertificate = true
    /// Whether the certificate has to be made for the server's name (RFC 9525).
    public var verifiesHostName = true
    /// Our own certificate, for servers that ask for one.
    public var identity: TLSIdentity?
    /// Sessions kept for resumption, one for each server; 0 keeps none. The one used least recently goes first.
    public var sessionLimit = 256

    /// The defaults: the system's roots, everything checked.
    public init() {}
}
