import AnyloopCore
public import AnyloopTLS
import Foundation

/// The certificates of one scenario, made for it, as files that curl and nginx can read.
public struct ScenarioCertificates: Sendable {
    /// The server's, for `localhost`, `127.0.0.1` and `server.example`.
    public let server: TLSIdentity
    /// The server's for `other.example`.
    public let other: TLSIdentity
    /// The client's, for `ada`.
    public let client: TLSIdentity
    /// Whom clients trust: the authority behind the server's certificate, or that certificate itself.
    public let trustedFile: String
    private let folder: String

    /// Names that `server` is for.
    static let serverNames = ["localhost", "127.0.0.1", "server.example"]
    /// The name that `other` is for.
    static let otherName = "other.example"

    /// Makes them, and writes them below `folder`, with whose end they go.
    ///
    /// - Parameter authority: signs the server's certificate; nil: that signs itself.
    /// - Throws: `TLSError`, and Foundation's errors where the disk is full or not writable.
    public init(in folder: String, authority: ScenarioAuthority? = nil) throws {
        self.folder = folder
        trustedFile = authority?.certificateFile ?? "\(folder)/tls-server.crt"
        server = try authority?.identity(names: Self.serverNames) ?? .selfSigned(names: Self.serverNames)
        other = try TLSIdentity.selfSigned(names: [Self.otherName])
        client = try TLSIdentity.selfSigned(names: ["ada"])
        for (name, identity) in [("server", server), ("other", other), ("client", client)] {
            try Data(identity.certificateChain).write(to: URL(fileURLWithPath: path(name, "crt")))
            try Data(identity.privateKey).write(to: URL(fileURLWithPath: path(name, "key")))
        }
    }

    /// The server's certificate as a PEM file.
    public var serverFile: String { path("server", "crt") }
    /// Its key.
    public var serverKeyFile: String { path("server", "key") }
    /// The other certificate.
    public var otherFile: String { path("other", "crt") }
    /// The client's certificate.
    public var clientFile: String { path("client", "crt") }
    /// Its key.
    public var clientKeyFile: String { path("client", "key") }

    /// What the server of a scenario needs for TLS.
    func serverContext(_ tls: ScenarioServerTLS) throws(TLSError) -> TLSServerContext {
        var options = TLSServerOptions(identity: server)
        options.settings.applicationProtocols = ["http/1.1", "http/1.0"]
        if tls.demandsCertificate { options.clientCertificates = .required(.pem(client.certificateChain)) }
        if tls.hasOtherName {
            var otherOptions = options
            otherOptions.identity = other
            options.contextsByName[Self.otherName] = try TLSServerContext(otherOptions)
        }
        return try TLSServerContext(options)
    }

    /// What our client needs for TLS: it trusts the server's certificate.
    func clientContext() throws(TLSError) -> TLSClientContext {
        var options = TLSClientOptions()
        options.trust = try .file(trustedFile)
        options.settings.applicationProtocols = ["http/1.1"]
        return try TLSClientContext(options)
    }

    private func path(_ name: String, _ suffix: String) -> String { "\(folder)/tls-\(name).\(suffix)" }
}
